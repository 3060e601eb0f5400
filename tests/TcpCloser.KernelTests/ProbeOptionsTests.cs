using System.Globalization;

namespace TcpCloser.KernelTests;

/// <summary>
/// <c>--probe</c> and the application: its peers are probed whatever options it has set, and afterwards options, counters and
/// timers are those of twins that were not probed. TCP_CLOSER_LONG_TESTS=1 probes ten times as often.
/// </summary>
public sealed class ProbeOptionsTests
{
    private const string Port = "7000";
    private const int Quiet = 1_100;
    private static readonly bool s_isLong = Environment.GetEnvironmentVariable("TCP_CLOSER_LONG_TESTS") == "1";

    [Fact]
    public void Probe_AnySocketOptions_LivingPeersAnswerAndNothingChanges()
    {
        using var path = NetworkPath.Fast();
        SocketKind.Prepare(path);

        // Of each kind, one socket that is probed and its twin, with a living peer, and the same with a peer that vanishes.
        SocketKind[] kinds = [.. SocketKind.Patient, .. SocketKind.Impatient];
        SocketRange[] living = [.. kinds.Select(kind => kind.Connect(path, NetworkPath.Far4(2), count: 2))];
        SocketRange[] silent = [.. kinds.Select(kind => kind.Connect(path, NetworkPath.Far4(3), count: 2))];
        SocketRange all = living[0] with { Text = $"0-{(4 * kinds.Length) - 1}" };
        path.Vanish(3);
        for (int i = 0; i < kinds.Length; i++)
        {
            kinds[i].Vanish(silent[i]);
        }

        (all with { Text = $"{2 * kinds.Length}-{(4 * kinds.Length) - 1}" }).WaitQuiet(Quiet);

        string[] options = all.AllOptions;
        long[] ports = all.Ports;
        string probed = string.Join(',', ports.Where(static (_, i) => i % 2 == 0));
        string[] names = [.. kinds.Select(static kind => $"{kind.Name}, living"), .. kinds.Select(static kind => $"{kind.Name}, silent")];

        // Two runs at once, which do not know of each other.
        Command[] tools = [.. Enumerable.Range(0, 2).Select(_ => path.Tool("-n", "-d", Port, "-s", probed, "--probe", "3s", "--json").Start())];
        foreach (Command tool in tools)
        {
            Result result = tool.WaitForEnd().Expect(0);
            tool.Dispose();
            Dictionary<long, string> outcomes = ProbeTests.Outcomes(result);
            Assert.Equal(
                names.Select(static (name, i) => $"{name}: {(i < SocketKind.Patient.Length + SocketKind.Impatient.Length ? "answered" : "would_close")}"),
                names.Select((name, i) => $"{name}: {outcomes[ports[2 * i]]}"));
        }

        Assert.Equal(options, all.AllOptions);
        Dictionary<string, string>[] infos = all.AllInfo;
        List<KernelSocket> sockets = KernelSocket.Read(path.Near.Id);
        for (int i = 0; i < names.Length; i++)
        {
            Assert.Equal($"{names[i]}: {options[2 * i]}", $"{names[i]}: {options[(2 * i) + 1]}");
            AssertAlike(names[i], infos[2 * i], infos[(2 * i) + 1]);
            if (SocketKind.Patient.Contains(kinds[i % kinds.Length]))
            {
                AssertAlike(names[i], sockets.Single(socket => socket.LocalPort == ports[2 * i]), sockets.Single(socket => socket.LocalPort == ports[(2 * i) + 1]));
            }
        }
        path.Tool("-d", Port, "-s", probed, "--probe", "3s").Run().Expect(0, $"closed={kinds.Length} answered={kinds.Length}");

        Assert.Equal([$"{kinds.Length} ECONNABORTED", $"{3 * kinds.Length} alive"], all.Views.Order(StringComparer.Ordinal));
        Assert.All(silent, static pair => Assert.Equal(["1 ECONNABORTED"], pair[0].Views));
    }

    /// <summary>64 descriptors are enough for any number of sockets.</summary>
    [Fact]
    public void Probe_64DescriptorsFor400Sockets_AreEnough()
    {
        using var path = NetworkPath.Fast();
        (SocketRange living, _) = path.Connect(300);
        SocketRange silent = path.ConnectSilent(100);
        ToolRun run = path.Tool("-d", Port, "--probe", "3s") with { Wrapper = ["prlimit", "--nofile=64"] };
        run.Run().Expect(0, "matched=400 answered=300 closed=100");
        Assert.Equal(["300 alive"], living.Views);
        Assert.Equal(["100 ECONNABORTED"], silent.Views);
    }

    /// <summary>
    /// An application sets options, closes sockets and reuses their descriptors for other connections while two runs probe: every
    /// option keeps its value, no connection is probed in place of another, and close(2) closes.
    /// </summary>
    [Fact]
    public void Probe_ApplicationWorksOnItsSockets_SocketsAreNotConfused()
    {
        const int Count = 1_000;
        using var path = NetworkPath.Fast();
        for (int run = 0; run < (s_isLong ? 10 : 1); run++)
        {
            SocketRange silent = path.ConnectSilent(Count, "reuse");

            Command[] tools = [.. Enumerable.Range(0, 2).Select(_ => path.Tool("-n", "-d", Port, "--probe", "3s", "--json").Start())];
            string work = Assert.Single(path.Near.Ask($"work {silent.Text} {NetworkPath.Far4(2)} {NetworkPath.OtherPort} 3200"));
            foreach (Command tool in tools)
            {
                Result result = tool.WaitForEnd().Expect(0);
                tool.Dispose();
                result.ExpectSummary("answered=0 unproved=0 unasked=0 closed=0");
                Assert.InRange(result.Summary("vanished"), 1, Count / 4);
            }

            Assert.Matches("^turns=[0-9]{4,} wrong=0 replaced=[0-9]{3} probed=0$", work);
            int replaced = int.Parse(work.Split("replaced=")[1].Split(' ')[0], CultureInfo.InvariantCulture);
            Assert.Equal(Count - replaced, KernelSocket.Read(path.Near.Id).Count(static socket => socket is { RemotePort: NetworkPath.Port, State: "established" }));
            Assert.Equal([$"{Count} alive"], silent.Views);
            silent.Do("abort");
            path.Return(3);
        }
    }

    /// <summary>
    /// A run that reads SO_REUSEADDR between another run's probe and its next call would leave the option off. strace makes that
    /// moment long. Each pair of runs has its own sockets.
    /// </summary>
    [Fact]
    public void Probe_TwoSlowRunsOnTheSameSockets_LeaveOptionsUnchanged()
    {
        const int Pairs = 5;
        const int Count = 10 * Pairs;
        using var path = NetworkPath.Fast();
        SocketRange silent = path.ConnectSilent(Count, "reuse");
        string[] options = silent.AllOptions;

        string[] ports = [.. silent.Ports.Chunk(Count / Pairs).Select(static chunk => string.Join(',', chunk))];
        Command[] tools = [.. Enumerable.Range(0, 2 * Pairs).Select(i => (path.Tool("-n", "-d", Port, "-s", ports[i / 2], "--probe", "3s") with
        {
            Wrapper = ["strace", "-f", "-o", "/dev/null", "-e", "trace=setsockopt,getsockopt", "-e", "inject=setsockopt,getsockopt:delay_exit=1000"],
        }).Start())];
        foreach (Command tool in tools)
        {
            tool.WaitForEnd().Expect(0, $"idle={Count / Pairs}");
            tool.Dispose();
        }

        Assert.Equal(options, silent.AllOptions);
    }

    /// <summary>Anybody may lock the file of the network namespace.</summary>
    [Fact]
    public void Probe_LockIsHeldByAnotherProgram_StillProbes()
    {
        using var path = NetworkPath.Fast();
        SocketRange silent = path.ConnectSilent(100, "reuse");
        string[] options = silent.AllOptions;
        ToolRun run = path.Tool("-n", "-d", Port, "--probe", "3s") with { Wrapper = ["flock", "-x", "/proc/self/ns/net"] };
        Result result = run.Run().Expect(0, "idle=100");
        Assert.InRange(result.Summary("time"), 8_000, 10_000);
        Assert.Equal(options, silent.AllOptions);
    }

    [Fact]
    public void Probe_KilledAtAnyMoment_LeavesOptionsUnchanged()
    {
        const int Count = 500;
        const int AtOnce = 10;
        using var path = NetworkPath.Fast();
        SocketRange silent = path.ConnectSilent(Count, "reuse");
        string[] options = silent.AllOptions;
        int kills = s_isLong ? 400 : 40;

        // Each run of a batch has its own sockets: what two runs that probe one socket at the same moment may do is a known limit.
        string[] ports = [.. silent.Ports.Chunk(Count / AtOnce).Select(static chunk => string.Join(',', chunk))];
        for (int first = 0; first < kills; first += AtOnce)
        {
            Command[] tools = [.. Enumerable.Range(first, AtOnce).Select(i => (path.Tool("-n", "-d", Port, "-s", ports[i % AtOnce], "--probe", "3s") with
            {
                Wrapper = ["timeout", "-s", "KILL", string.Create(CultureInfo.InvariantCulture, $"{0.02 + (i * 7 % kills * 2.5 / kills):0.###}")],
            }).Start())];
            foreach (Command tool in tools)
            {
                Assert.Equal(137, tool.WaitForEnd().ExitCode);
                tool.Dispose();
            }
        }

        // A kill in the microsecond between two calls costs one socket its SO_REUSEADDR (docs/reliability.md).
        string[] after = silent.AllOptions;
        string[] lost = [.. options.Where((before, i) => before != after[i])];
        Assert.InRange(lost.Length, 0, Math.Max(1, kills / 100));
        Assert.All(lost, static before => Assert.Contains("reuse=01000000", before, StringComparison.Ordinal));
        Assert.Equal(
            options.Select(static text => text.Replace("reuse=01000000", "reuse=00000000")),
            after.Select(static text => text.Replace("reuse=01000000", "reuse=00000000")));
        Assert.Equal(0, silent.Infos("probes").Sum());
        Assert.Equal([$"{Count} alive"], silent.Views);
    }

    /// <summary>
    /// A run that is killed in the microsecond between a probe and the next call, which cannot be prevented, leaves SO_REUSEADDR
    /// of that one socket off, and nothing else. Killed at any other call it leaves everything unchanged.
    /// </summary>
    [Fact]
    public void Probe_KilledRightAfterAProbe_LeavesReuseaddrOfOneSocketOff()
    {
        const int Kills = 12;
        using var path = NetworkPath.Fast();
        using TemporaryDirectory directory = new();
        SocketRange silent = path.ConnectSilent(Kills, "reuse");
        string[] options = silent.AllOptions;

        // Each run has its own socket, and is killed before a different call.
        Command[] tools = [.. silent.Ports.Select((port, i) => (path.Tool("-n", "-d", Port, "-s", $"{port}", "--probe", "3s") with
        {
            Wrapper = ["strace", "-f", "-o", directory.File($"trace{i}"), "-e", "trace=setsockopt", "-e", $"inject=setsockopt:signal=KILL:when={i + 1}"],
        }).Start())];
        foreach (Command tool in tools)
        {
            Assert.Equal(137, tool.WaitForEnd().ExitCode);
            tool.Dispose();
        }

        string[] after = silent.AllOptions;
        int afterProbe = 0;
        for (int i = 0; i < Kills; i++)
        {
            bool isAfterProbe = File.ReadLines(directory.File($"trace{i}")).Last(static line => line.Contains("setsockopt("))
                .Contains("SO_REUSEADDR");
            afterProbe += isAfterProbe ? 1 : 0;
            Assert.Equal(isAfterProbe ? options[i].Replace("reuse=01000000", "reuse=00000000") : options[i], after[i]);
        }

        Assert.InRange(afterProbe, 1, Kills - 1);
        Assert.Equal([$"{Kills} alive"], silent.Views);
    }

    /// <summary>Compares the counters of a socket and its twin, which may be one event apart.</summary>
    private static void AssertAlike(string name, Dictionary<string, string> probed, Dictionary<string, string> twin)
    {
        Assert.Equal($"{name}: {twin["state"]}", $"{name}: {probed["state"]}");
        foreach (string number in (string[])["retransmits", "probes", "backoff"])
        {
            int apart = int.Parse(probed[number], CultureInfo.InvariantCulture) - int.Parse(twin[number], CultureInfo.InvariantCulture);
            Assert.True(apart is >= -1 and <= 1, $"{name}: {number} of the probed socket {probed[number]}, of its twin {twin[number]}");
        }
    }

    /// <summary>The same timer; keepalive's, which has not fired yet, was set a moment apart. The others depend on the path.</summary>
    private static void AssertAlike(string name, KernelSocket probed, KernelSocket twin)
    {
        const int KeepaliveTimer = 2;
        const int ApartMs = 3_000;
        Assert.Equal($"{name}: {twin.Timer}", $"{name}: {probed.Timer}");
        Assert.True(probed.Timer != KeepaliveTimer || Math.Abs(probed.ExpiresMs - twin.ExpiresMs) < ApartMs, $"{name}: {probed} {twin}");
    }
}
