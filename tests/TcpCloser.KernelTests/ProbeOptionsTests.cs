using TcpCloser.KernelTests.Harness;
using TcpCloser.KernelTests.Harness.Paths;
using Xunit;

namespace TcpCloser.KernelTests;

/// <summary><c>--probe</c> and the application's own keepalive: whom it asks at all, and that every option is back afterwards.</summary>
public sealed class ProbeOptionsTests
{
    private const int Quiet = 3_100;
    private const string Untouched = "on=0 idle=7200 interval=75 count=9 user-timeout=0";

    /// <summary>What an application may have set, and what becomes of a living and of a silent peer. Nothing of it is different afterwards.</summary>
    private static readonly (string Options, string Living, string Silent)[] s_owners =
    [
        ("", "answered", "would_close"),
        ("user-timeout=2000", "answered", "would_close"),
        ("keepalive=7200,75,9", "answered", "would_close"),
        ("keepalive=300,1,127", "answered", "would_close"),
        ("keepalive=60,10,6", "answered", "would_close"),
        ("keepalive=60,10,3", "answered", "would_close"),
        ("keepalive=60,10,2", "unproved", "unproved"),
        ("keepalive=60,10,1", "unproved", "unproved"),
        ("keepalive=60,10,6 user-timeout=100000", "unproved", "unproved"),
        ("keepalive=5,5,6", "unproved", "unproved"), // its own next probe is within TIME
    ];

    [Fact]
    public void EveryOwnersOptions()
    {
        using var path = NetworkPath.AtOnce();
        List<(SocketRange Socket, string Expected)> sockets = [];
        foreach ((string options, string living, string silent) in s_owners)
        {
            sockets.Add((path.Connect(1, NetworkPath.Far4(2), options).Near, living));
            sockets.Add((path.Connect(1, NetworkPath.Far4(3), options).Near, silent));
        }

        sockets.ForEach(static socket => socket.Socket.WaitQuiet(Quiet));
        path.Vanish(3);
        string[] before = [.. sockets.Select(static socket => socket.Socket.Options[0])];

        Result result = path.Tool("-n", "-d", $"{NetworkPath.Port}", "--probe", "3s", "--json").Run().Expect(0);

        Dictionary<long, string> outcomes = ProbeTests.Outcomes(result);
        Assert.Equal(sockets.Select(static socket => socket.Expected), sockets.Select(socket => outcomes[socket.Socket.Port]));
        Assert.Equal(before, sockets.Select(static socket => socket.Socket.Options[0]));
        Assert.All(sockets, static socket => Assert.Equal(["1 alive"], socket.Socket.Looks));
    }

    /// <summary>
    /// Where the application's own probes are unanswered already, those count, and putting its KEEPIDLE back, which has passed, must not
    /// send more than was meant.
    /// </summary>
    [Fact]
    public void AnApplicationThatAsksAlreadyKeepsItsLastTwoProbes()
    {
        using var path = NetworkPath.AtOnce();
        (SocketRange near, _) = path.Connect(1, NetworkPath.Far4(3), "keepalive=4,75,9");
        path.Vanish(3);
        Until.True(() => near.Info("probes") == 1, "its own first probe");
        Until.True(() => near.Info("acknowledged") > 6_000, "two seconds more");

        path.Tool("-n", "-d", $"{NetworkPath.Port}", "--probe", "5s").Run().Expect(0);
        path.Tool("-n", "-d", $"{NetworkPath.Port}", "--probe", "5s").Run().Expect(0);

        Assert.InRange(near.Info("probes"), 1, 7);
        Assert.Equal(["1 alive"], near.Looks);
        Assert.Equal(["1 on=1 idle=4 interval=75 count=9 user-timeout=0"], near.Options);
    }

    /// <summary>Sixty-four descriptors are enough for any number of sockets.</summary>
    [Fact]
    public void FewDescriptorsDo()
    {
        using var path = NetworkPath.AtOnce();
        (SocketRange alive, _) = path.Connect(300);
        (SocketRange silent, _) = path.Connect(100, NetworkPath.Far4(3));
        silent.WaitQuiet(Quiet);
        path.Vanish(3);

        ToolRun run = path.Tool("-n", "-d", $"{NetworkPath.Port}", "--probe", "3s") with { Wrapper = ["prlimit", "--nofile=64"] };
        Result result = run.Run().Expect(0);

        Assert.Equal((400, 100), (result.Summary("matched"), result.Summary("idle")));
        Assert.Equal([$"300 {Untouched}"], alive.Options);
        Assert.Equal([$"100 {Untouched}"], silent.Options);
    }

    /// <summary>A value that the application sets while it is asked is its own. strace holds the program back right when it waits for the probes.</summary>
    [Fact]
    public void WhatTheApplicationSetsMeanwhileStays()
    {
        using var path = NetworkPath.AtOnce();
        (SocketRange near, _) = path.Connect(3);
        near.WaitQuiet(Quiet);
        using var folder = new TemporaryFolder();

        using Command tool = Held(path, folder);
        Until.True(() => near.Options is [var only] && only.Contains("on=1 idle=1 ", StringComparison.Ordinal), "the options of the asking");
        near[0].Set(6, 4, 55);
        near[1].Set(6, 6, 5);
        near[2].Set(1, 9, 0);
        tool.WaitForEnd().Expect(0);

        Assert.Equal("1 on=0 idle=55 interval=75 count=9 user-timeout=0", near[0].Options[0]);
        Assert.Equal("1 on=0 idle=7200 interval=75 count=5 user-timeout=0", near[1].Options[0]);
        Assert.Equal($"1 {Untouched}", near[2].Options[0]);
    }

    /// <summary>What nobody can put back any more is keepalive with the most tolerant count.</summary>
    [Fact]
    public void WhatASigkillLeaves()
    {
        using var path = NetworkPath.AtOnce();
        (SocketRange near, _) = path.Connect();
        near.WaitQuiet(Quiet);
        using var folder = new TemporaryFolder();

        using (Command tool = Held(path, folder))
        {
            Until.True(() => near.Options[0].Contains("on=1 idle=1 ", StringComparison.Ordinal), "the options of the asking");
            Strace.Signal(tool, "KILL");
        }

        Assert.Equal(["1 on=1 idle=1 interval=75 count=127 user-timeout=0"], near.Options);
        Assert.Equal(["1 alive"], near.Looks);
    }

    /// <summary>A signal is obeyed once the options are back, wherever it comes.</summary>
    [Theory]
    [InlineData("TERM")]
    [InlineData("INT")]
    public void ASignalIsObeyedOnceTheOptionsAreBack(string signal)
    {
        using var path = NetworkPath.AtOnce();
        (SocketRange silent, _) = path.Connect(1_500, NetworkPath.Far4(3));
        silent.WaitQuiet(Quiet);
        path.Vanish(3);

        using var folder = new TemporaryFolder();
        using Command tool = Held(path, folder);
        Until.True(() => silent.Options.Any(static line => line.Contains("on=1", StringComparison.Ordinal)), "the options of the asking");
        Strace.Signal(tool, signal);
        Result result = tool.WaitForEnd().Expect(1);

        Assert.Equal([$"1500 {Untouched}"], silent.Options);
        Assert.Equal(["1500 alive"], silent.Looks);
        Assert.Equal((1_500, 1_500), (result.Summary("matched"), result.Summary("failed")));
        Assert.Contains(result.Log, line => line.Contains($"interrupted by SIG{signal}: 1500 idle connections were not reached", StringComparison.Ordinal));
    }

    /// <summary>Any call on the socket may fail: then nothing is left behind, and what could not be asked is told as failed.</summary>
    [Theory]
    [InlineData("getsockopt", 14)]
    [InlineData("setsockopt", 10)]
    [InlineData("pidfd_getfd", 3)]
    [InlineData("pidfd_open", 3)]
    public void ACallThatFailsLeavesNothingBehind(string call, int calls)
    {
        using var path = NetworkPath.AtOnce();
        (SocketRange near, _) = path.Connect(calls);
        near.WaitQuiet(Quiet);
        using var folder = new TemporaryFolder();

        // All at once, each about a connection of its own, and each with another call that fails.
        Command[] tools = [.. Enumerable.Range(0, calls).Select(i => (path.Tool("-d", $"{NetworkPath.Port}", "-s", $"{near[i].Port}", "--probe", "3s", "--include-own-session") with
        {
            Wrapper = ["strace", "-f", "-o", folder.File($"trace{i}"), "-e", $"trace={call}", "-e", $"inject={call}:error=ENOBUFS:when={i + 1}"],
        }).Start())];
        int failed = 0;
        foreach (Command tool in tools)
        {
            Result result = tool.WaitForEnd();
            tool.Dispose();
            Assert.Equal((1, 0), (result.Summary("matched"), result.Summary("closed")));
            Assert.Equal(result.ExitCode, result.Summary("failed"));
            failed += result.ExitCode;
            if (result.ExitCode != 0)
            {
                Assert.Contains(result.Log, static line => line.Contains("ENOBUFS", StringComparison.Ordinal));
            }
        }

        Assert.NotEqual(0, failed);
        Assert.Equal([$"{calls} {Untouched}"], near.Options);
        Assert.Equal([$"{calls} alive"], near.Looks);
    }

    /// <summary>Starts the program so that it waits long, as on a crowded machine, when it has set the options: its second poll(2), after the log line.</summary>
    private static Command Held(NetworkPath path, TemporaryFolder folder) => (path.Tool("-d", $"{NetworkPath.Port}", "--probe", "3s") with
    {
        Wrapper = ["strace", "-f", "-o", folder.File("trace"), "-e", "trace=poll", "-e", "inject=poll:delay_exit=1500ms:when=2+50"],
    }).Start();
}
