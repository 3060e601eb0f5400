namespace TcpCloser.KernelTests;

/// <summary><c>--method keepalive</c>: closes nothing, and enables keepalive on sockets whose application did not.</summary>
public sealed class KeepaliveMethodTests
{
    private static readonly string[] s_arguments = ["-d", $"{NetworkPath.Port}", "--method", "keepalive", "-v"];

    [Fact]
    public void Keepalive_SocketsWithoutIt_GetTheDefault()
    {
        using var path = NetworkPath.Fast();
        (SocketRange without, _) = path.Connect(2);
        (SocketRange with, _) = path.Connect(1, options: "keepalive=300,20,4");
        (SocketRange dual, _) = path.Connect(1, "::ffff:" + NetworkPath.Far4(2), "user-timeout=500000");
        path.Near.Ask("fork");
        Result preview = path.Tool(["-n", .. s_arguments]).Run().Expect(0);
        Assert.Equal(["2 on=0 idle=7200 interval=75 count=9 user-timeout=0"], without.Options);
        Assert.Contains("dry run: would enable keepalive on tcp", preview.Log[0], StringComparison.Ordinal);

        Result result = path.Tool(s_arguments).Run().Expect(0, "matched=4 idle=3 cured=3 closed=0");

        Assert.Equal(["2 on=1 idle=60 interval=10 count=6 user-timeout=0"], without.Options);
        Assert.Equal(["1 on=1 idle=60 interval=10 count=6 user-timeout=500000"], dual.Options);
        Assert.Equal(["1 on=1 idle=300 interval=20 count=4 user-timeout=0"], with.Options);
        Assert.Single(result.Log, static line => line.Contains(" reason=has_keepalive"));
        path.Tool(s_arguments).Run().Expect(0, "idle=0");
        Assert.Equal(["4 alive"], (without with { Text = "0-3" }).Views);
    }

    [Fact]
    public void Keepalive_ValuesGiven_AreSetOnAllThatCanTakeThem()
    {
        using var path = NetworkPath.Fast();
        (SocketRange without, _) = path.Connect();
        (SocketRange with, _) = path.Connect(options: "keepalive=300,20,4");
        (SocketRange hasTheValues, _) = path.Connect(options: "keepalive=30,5,3");
        (SocketRange impatient, _) = path.Connect(options: "user-timeout=44999");
        (SocketRange patient, _) = path.Connect(options: "user-timeout=45000");

        Result result = path.Tool([.. s_arguments, "--keepalive", "30s,5s,3"]).Run().Expect(0, "matched=5 cured=3");

        Assert.All([without, with, hasTheValues], static socket => Assert.Equal(["1 on=1 idle=30 interval=5 count=3 user-timeout=0"], socket.Options));
        Assert.Equal(["1 on=1 idle=30 interval=5 count=3 user-timeout=45000"], patient.Options);
        Assert.Equal(["1 on=0 idle=7200 interval=75 count=9 user-timeout=44999"], impatient.Options);
        Assert.Single(result.Log, static line => line.Contains(" info skipped ") && line.Contains(" reason=has_user_timeout "));
    }

    /// <summary>
    /// Without --keepalive, sockets that already have keepalive are skipped and keep their values, whatever other options are
    /// given.
    /// </summary>
    [Fact]
    public void UserTimeout_WithKeepaliveMethod_IsSetTogetherWithKeepalive()
    {
        using var path = NetworkPath.Fast();
        (SocketRange without, _) = path.Connect();
        (SocketRange with, _) = path.Connect(options: "keepalive=300,20,4");
        path.Tool([.. s_arguments, "--user-timeout", "2m"]).Run().Expect(0, "matched=2 cured=1");

        Assert.Equal(["1 on=1 idle=60 interval=10 count=6 user-timeout=120000"], without.Options);
        Assert.Equal(["1 on=1 idle=300 interval=20 count=4 user-timeout=0"], with.Options);
        Assert.Equal(2, path.Tool([.. s_arguments, "--user-timeout", "119s"]).Run().ExitCode);
        path.Tool([.. s_arguments, "--keepalive", "60s", "--user-timeout", "2m"]).Run().Expect(0);
        Assert.Equal(["1 on=1 idle=60 interval=10 count=6 user-timeout=120000"], with.Options);
    }

    /// <summary>
    /// From then on the kernel itself detects the vanished peer and reports it to the owner; connections that are only quiet
    /// stay.
    /// </summary>
    [Fact]
    public void Keepalive_PeerVanishesAfterwards_KernelEndsTheConnection()
    {
        using var path = NetworkPath.Fast();
        (SocketRange vanished, _) = path.Connect(2, NetworkPath.Far4(3));
        (SocketRange quiet, _) = path.Connect(2);
        path.Tool([.. s_arguments, "--keepalive", "2s,1s,3"]).Run().Expect(0, "cured=4");
        path.Vanish(3);
        vanished.WaitFor("ETIMEDOUT");
        Assert.Equal(["2 alive"], quiet.Views);
    }

    /// <summary>A service enables keepalive on each new connection, and logs nothing about those that have it.</summary>
    [Fact]
    public void Service_NewConnections_GetKeepalive()
    {
        const string Cured = "1 on=1 idle=60 interval=10 count=6 user-timeout=0";
        using var path = NetworkPath.Fast();
        using Command service = path.Tool("-d", $"{NetworkPath.Port}", "--method", "keepalive", "-i", "100ms").Start();
        for (int i = 0; i < 3; i++)
        {
            (SocketRange near, _) = path.Connect();
            Until.True(() => near.Options[0] == Cured, "keepalive on the new connection");
        }

        service.Signal("TERM");
        Result result = service.WaitForEnd().Expect(0, "cured=3");
        Assert.Equal(3, result.Log.Count(static line => line.Contains(" info cured ")));
    }

    [Fact]
    public void Keepalive_MptcpConnection_IsSetOnce()
    {
        using var path = NetworkPath.Fast();
        Assert.SkipUnless(File.Exists("/proc/sys/net/mptcp/enabled"), "this kernel has no MPTCP");
        _ = path.Far.Ask("listen 10.9.0.2 7001 mptcp");
        SocketRange near = path.Near.Connect("10.9.0.2 7001 1 mptcp");
        _ = path.Far.Accept(7001, 1);
        path.Tool("-d", "7001", "--method", "keepalive").Run().Expect(0, "cured=1");
        Assert.Equal(["1 on=1 idle=60 interval=10 count=6 user-timeout=EOPNOTSUPP"], near.Options);
    }
}
