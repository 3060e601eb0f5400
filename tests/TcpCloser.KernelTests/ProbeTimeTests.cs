using System.Globalization;

namespace TcpCloser.KernelTests;

/// <summary>
/// <c>--probe TIME</c>: the verdict is reached at TIME, for any TIME and any socket options. TCP_CLOSER_LONG_TESTS=1 also tries
/// minutes.
/// </summary>
public sealed class ProbeTimeTests(ITestOutputHelper output)
{
    /// <summary>A peer that was heard from within a second is not probed.</summary>
    private const int Quiet = 1_100;
    /// <summary>A loaded machine starts a process late, and reaches each connection late.</summary>
    private const int SlackMs = 2_000;
    private const int MinProbes = 4;

    private static readonly (string Word, int Ms)[] s_probeTimes =
    [
        ("3s", 3_000), ("4s", 4_000), ("4500ms", 4_500), ("5s", 5_000), ("10s", 10_000), ("30s", 30_000),
        .. Environment.GetEnvironmentVariable("TCP_CLOSER_LONG_TESTS") == "1" ? [("2m", 120_000), ("5m", 300_000)] : Array.Empty<(string, int)>(),
    ];

    [Fact]
    public void Probe_SilentPeersOfEveryKind_VerdictIsReachedAtTime()
    {
        using var path = NetworkPath.Fast();
        SocketKind.Prepare(path);
        (string Word, int Ms, bool IsDry)[] runs = [.. s_probeTimes.SelectMany(static time => new[] { (time.Word, time.Ms, true), (time.Word, time.Ms, false) })];
        SocketRange[] silent = [.. SocketKind.Patient.Select(kind => kind.Connect(path, NetworkPath.Far4(3), runs.Length))];
        (SocketRange living, _) = path.Connect(runs.Length);
        path.Vanish(3);
        for (int i = 0; i < silent.Length; i++)
        {
            SocketKind.Patient[i].Vanish(silent[i]);
        }

        foreach (SocketRange sockets in (SocketRange[])[.. silent, living])
        {
            sockets.WaitQuiet(Quiet);
        }

        long[][] ports = [.. silent.Select(static sockets => sockets.Ports)];
        long[][] segments = [.. silent.Select(static sockets => sockets.Infos("segs-out"))];
        long[] livingPorts = living.Ports;
        Command[] tools = [.. runs.Select((run, i) =>
        {
            long[] own = [.. ports.Select(ofKind => ofKind[i]), livingPorts[i]];
            return path.Tool([.. run.IsDry ? (string[])["-n"] : [], "-d", $"{NetworkPath.Port}", "-s", string.Join(',', own), "--probe", run.Word, "--json"]).Start();
        })];

        for (int i = 0; i < runs.Length; i++)
        {
            using Command tool = tools[i];
            Result result = tool.WaitForEnd(TimeSpan.FromMilliseconds(runs[i].Ms) + TimeSpan.FromMinutes(1)).Expect(0);
            int time = result.Summary("time");
            output.WriteLine($"--probe {runs[i].Word}{(runs[i].IsDry ? " -n" : "")}: verdict after {time} ms");
            Dictionary<long, string> outcomes = ProbeTests.Outcomes(result);
            for (int kind = 0; kind < silent.Length; kind++)
            {
                string label = string.Create(CultureInfo.InvariantCulture, $"{SocketKind.Patient[kind].Name}, --probe {runs[i].Word}: ");
                // Within minutes, a socket's own keepalive may be sooner.
                bool endsItself = SocketKind.Patient[kind].GivesUpAfter.TotalMilliseconds < runs[i].Ms;
                string expected = endsItself ? "vanished" : runs[i].IsDry ? "would_close" : "destroyed";
                Assert.Equal(label + expected, label + outcomes[ports[kind][i]]);
                long probes = silent[kind][i].Info("segs-out") - segments[kind][i];
                Assert.True(probes >= MinProbes, $"{label}{probes} probes");
            }
            result.ExpectSummary($"idle={silent.Length} answered=1 unproved=0 unasked=0");
            Assert.InRange(time, runs[i].Ms, runs[i].Ms + SlackMs);
        }

        Assert.Equal([$"{runs.Length} alive"], living.Views);
    }

    /// <summary>A process that was stopped sends the missed probes before it decides, and a peer that answers then is alive.</summary>
    [Fact]
    public void Probe_RunStoppedForLongerThanTime_ProbesAgainBeforeItsVerdict()
    {
        using var path = NetworkPath.Fast();
        (SocketRange silent, _) = path.Connect(3, NetworkPath.Far4(3), "reuse");
        (SocketRange healed, _) = path.Connect(3, NetworkPath.Far4(4), "reuse");
        silent.WaitQuiet(Quiet);
        path.Vanish(3);
        path.Vanish(4);
        long segments = silent.Info("segs-out");

        using Command tool = path.Tool("-d", $"{NetworkPath.Port}", "--probe", "3s", "--json").Start();
        Until.True(() => silent.Info("segs-out") > segments, "the first probe");
        tool.Signal("STOP");
        Thread.Sleep(3_500); // longer than TIME
        path.Return(4);
        tool.Signal("CONT");
        Result result = tool.WaitForEnd().Expect(0);

        Dictionary<long, string> outcomes = ProbeTests.Outcomes(result);
        result.ExpectSummary("answered=3 closed=3");
        Assert.All(healed.Ports, port => Assert.Equal("answered", outcomes[port]));
        Assert.Equal(["3 alive"], healed.Views);
        Assert.Equal(["3 ECONNABORTED"], silent.Views);
        Assert.InRange(silent.Info("segs-out") - segments, MinProbes, long.MaxValue);
    }
}
