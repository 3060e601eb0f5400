using TcpCloser.KernelTests.Harness;
using TcpCloser.KernelTests.Harness.Paths;
using TcpCloser.KernelTests.Harness.Reach;
using Xunit;

namespace TcpCloser.KernelTests;

/// <summary><c>--probe</c>: the verdict on every kind of peer, and what the socket's owner sees of the asking, which is nothing.</summary>
public sealed class ProbeTests
{
    private const string Untouched = "on=0 idle=7200 interval=75 count=9 user-timeout=0";
    private const int Quiet = 3_100;

    /// <summary>Of living, vanished and forgetful peers the vanished are closed, the forgetful reset the connection, the living go on.</summary>
    [Theory]
    [InlineData("10.9.0.", "-4")]
    [InlineData("fd09::", "-6")]
    [InlineData("::ffff:10.9.0.", "-4")]
    public void OnlyTheSilentIsClosed(string network, string family)
    {
        using var path = NetworkPath.AtOnce();
        (SocketRange alive, _) = path.Connect(3, network + 2);
        (SocketRange silent, _) = path.Connect(2, network + 3);
        (SocketRange forgotten, SocketRange forgetful) = path.Connect(1, network + 2);
        forgotten.WaitQuiet(Quiet);
        path.Vanish(3);
        forgetful.Forget();

        Result result = path.Tool(family, "-d", $"{NetworkPath.Port}", "--probe", "3s", "-v").Run().Expect(0);

        Assert.Equal(["3 alive"], alive.Looks);
        Assert.Equal([$"3 {Untouched}"], alive.Options);
        Assert.Equal(["2 ECONNABORTED"], silent.Looks);
        Assert.Equal(["1 ECONNRESET"], forgotten.Looks);
        Assert.Equal((6, 3, 3), (result.Summary("matched"), result.Summary("idle"), result.Summary("closed")));
        Assert.Equal(3, result.Log.Count(static line => line.Contains(" debug left alone: its peer lives ", StringComparison.Ordinal)));
        Assert.Equal(2, result.Destroyed.Length);
        Assert.Single(result.Log, static line => line.Contains(" info reset by its peer, which no longer knew it, ", StringComparison.Ordinal));
    }

    /// <summary>Each kind of connection that cannot be asked, beside those that can, in one run.</summary>
    [Fact]
    public void EveryState()
    {
        using var path = NetworkPath.AtOnce();
        var expected = new Dictionary<long, string>();

        (SocketRange closeWait, SocketRange hasShutDown) = path.Connect();
        hasShutDown.Do("shutdown");
        expected[closeWait.Port] = "answered";
        (SocketRange finWait2, _) = path.Connect();
        finWait2.Do("shutdown");
        expected[finWait2.Port] = "answered";
        (SocketRange silentCloseWait, SocketRange shutDown) = path.Connect(1, NetworkPath.Far4(3));
        shutDown.Do("shutdown");
        expected[silentCloseWait.Port] = "would_close";
        (SocketRange silentFinWait2, _) = path.Connect(1, NetworkPath.Far4(3));
        silentFinWait2.Do("shutdown");
        expected[silentFinWait2.Port] = "would_close";
        (SocketRange orphan, _) = path.Connect();
        expected[orphan.Port] = "unproved";
        orphan.Do("close"); // FIN_WAIT2 without an owner
        (SocketRange sent, _) = path.Connect(1, NetworkPath.Far4(3));
        expected[sent.Port] = "unproved";
        (SocketRange finWait1, _) = path.Connect(1, NetworkPath.Far4(3));
        expected[finWait1.Port] = "unproved";
        silentFinWait2.WaitQuiet(Quiet);
        path.Vanish(3);
        sent.Send();
        finWait1.Do("shutdown");
        SocketRange synSent = path.Near.Connect($"{NetworkPath.Far4(3)} {NetworkPath.Port} 1 start");
        expected[synSent.Port] = "unproved";

        Result result = path.Tool("-n", "-d", $"{NetworkPath.Port}", "--state", "all", "--probe", "3s", "--json").Run().Expect(0);

        Assert.Equal(expected.OrderBy(static pair => pair.Key), Outcomes(result).OrderBy(static pair => pair.Key));
    }

    /// <summary>Data that the peer's window holds back is the kernel's to send again; a peer with a shut window and nothing queued answers.</summary>
    [Fact]
    public void AShutWindow()
    {
        using var path = NetworkPath.AtOnce();
        (SocketRange full, SocketRange reader) = path.Connect();
        full.Fill();
        (SocketRange idle, _) = path.Connect();
        idle.WaitQuiet(Quiet);

        Result result = path.Tool("-n", "-d", $"{NetworkPath.Port}", "--probe", "3s", "--json").Run().Expect(0);

        // Heard from by its answers to the kernel's own probes, or not proved by then.
        Assert.Contains(Outcomes(result)[full.Port], (string[])["unproved", "answered"]);
        Assert.Equal("answered", Outcomes(result)[idle.Port]);
        reader.Do("read");
        Assert.Equal(["1 alive"], full.Looks);
    }

    /// <summary>Who was heard from within TIME is not asked: nothing is sent.</summary>
    [Fact]
    public void WhoWasHeardFromIsNotAsked()
    {
        using var path = NetworkPath.AtOnce();
        (SocketRange near, SocketRange far) = path.Connect(1, NetworkPath.Far4(3));
        near.WaitQuiet(Quiet);
        far.Send();
        Until.True(() => near.Info("received") < Quiet, "the byte");
        long segments = near.Info("segs-out");
        path.Vanish(3);

        Result result = path.Tool("-d", $"{NetworkPath.Port}", "--probe", "1m", "--json").Run().Expect(0);

        Assert.Equal("answered", Outcomes(result)[near.Port]);
        Assert.Equal(segments, near.Info("segs-out"));
    }

    /// <summary>A descriptor that several processes have is asked through one of them, and through a child alone where the parent let go.</summary>
    [Fact]
    public void ForkedProcessesShareIt()
    {
        using var path = NetworkPath.AtOnce();
        (SocketRange shared, _) = path.Connect();
        (SocketRange inherited, SocketRange farInherited) = path.Connect();
        (SocketRange vanished, SocketRange farVanished) = path.Connect(1, NetworkPath.Far4(3));
        long port = inherited.Port;
        long vanishedPort = vanished.Port;
        path.Near.Ask("fork");
        inherited.Do("close");
        vanished.Do("close");
        shared.WaitQuiet(Quiet);
        path.Vanish(3);

        Result result = path.Tool("-d", $"{NetworkPath.Port}", "--probe", "3s", "--json").Run().Expect(0);

        Dictionary<long, string> outcomes = Outcomes(result);
        Assert.Equal(("answered", "answered", "destroyed"), (outcomes[shared.Port], outcomes[port], outcomes[vanishedPort]));
        Assert.Equal([$"1 {Untouched}"], shared.Options);
        Assert.Equal(["1 alive"], farInherited.Looks);
        Assert.Equal(["1 alive"], farVanished.Looks); // the reset did not get there
    }

    [Fact]
    public void AnMptcpConnectionIsNotProved()
    {
        using var path = NetworkPath.AtOnce();
        Assert.SkipUnless(File.Exists("/proc/sys/net/mptcp/enabled"), "this kernel has no MPTCP");
        path.Far.Ask("listen 10.9.0.2 7001 mptcp");
        SocketRange near = path.Near.Connect("10.9.0.2 7001 1 mptcp");
        SocketRange far = path.Far.Accept(7001, 1);
        near.WaitQuiet(Quiet);

        Result result = path.Tool("-d", "7001", "--probe", "3s", "--json").Run().Expect(0);

        Assert.Equal(["unproved"], Outcomes(result).Values);
        Assert.Equal(["1 alive"], near.Looks);
        Assert.Equal(["1 alive"], far.Looks);
    }

    [Fact]
    public void DisconnectClosesTheSilentOneToo()
    {
        using var path = NetworkPath.AtOnce();
        (SocketRange alive, _) = path.Connect();
        (SocketRange silent, _) = path.Connect(1, NetworkPath.Far4(3));
        long port = silent.WaitQuiet(Quiet).Port;
        path.Vanish(3);

        Result result = path.Tool("-d", $"{NetworkPath.Port}", "--probe", "3s", "--json", "--method", "disconnect").Run().Expect(0);

        Assert.Equal(("disconnected", "answered"), (Outcomes(result)[port], Outcomes(result)[alive.Port]));
        Assert.Equal(["1 alive"], alive.Looks);
        Assert.NotEqual(["1 alive"], silent.Looks);
    }

    /// <summary>What became of the connections, by their local ports.</summary>
    internal static Dictionary<long, string> Outcomes(Result result) =>
        ConnectionRecord.Read(result).ToDictionary(static record => (long)record.LocalPort, static record => record.Outcome);
}
