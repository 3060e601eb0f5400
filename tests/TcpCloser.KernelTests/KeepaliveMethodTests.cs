using TcpCloser.KernelTests.Harness;
using TcpCloser.KernelTests.Harness.Paths;
using Xunit;

namespace TcpCloser.KernelTests;

/// <summary><c>--method keepalive</c>: closes nothing, and gives sockets what their application forgot.</summary>
public sealed class KeepaliveMethodTests
{
    private static readonly string[] s_words = ["-d", $"{NetworkPath.Port}", "--method", "keepalive", "-v"];

    [Fact]
    public void WhoHasNoneGetsTheDefault()
    {
        using var path = NetworkPath.AtOnce();
        (SocketRange without, _) = path.Connect(2);
        (SocketRange with, _) = path.Connect(1, options: "keepalive=300,20,4");
        (SocketRange dual, _) = path.Connect(1, "::ffff:" + NetworkPath.Far4(2), "user-timeout=500000");
        path.Near.Ask("fork");
        Result planned = path.Tool(["-n", .. s_words]).Run().Expect(0);
        Assert.Equal(["2 on=0 idle=7200 interval=75 count=9 user-timeout=0"], without.Options);
        Assert.Contains("dry run: would cure tcp", planned.Log[0], StringComparison.Ordinal);

        Result result = path.Tool(s_words).Run().Expect(0);

        Assert.Equal((4, 3, 3, 0), (result.Summary("matched"), result.Summary("idle"), result.Summary("cured"), result.Summary("closed")));
        Assert.Equal(["2 on=1 idle=60 interval=10 count=6 user-timeout=0"], without.Options);
        Assert.Equal(["1 on=1 idle=60 interval=10 count=6 user-timeout=500000"], dual.Options);
        Assert.Equal(["1 on=1 idle=300 interval=20 count=4 user-timeout=0"], with.Options);
        Assert.Single(result.Log, static line => line.Contains(" debug left alone: it has keepalive ", StringComparison.Ordinal));
        Assert.Equal(0, path.Tool(s_words).Run().Expect(0).Summary("idle"));
        Assert.Equal(["4 alive"], (without with { Text = "0-3" }).Looks);
    }

    [Fact]
    public void NamedValuesAreGivenToAll()
    {
        using var path = NetworkPath.AtOnce();
        (SocketRange without, _) = path.Connect();
        (SocketRange with, _) = path.Connect(options: "keepalive=300,20,4");
        (SocketRange hasThem, _) = path.Connect(options: "keepalive=30,5,3");
        (SocketRange impatient, _) = path.Connect(options: "user-timeout=44999");
        (SocketRange patient, _) = path.Connect(options: "user-timeout=45000");

        Result result = path.Tool([.. s_words, "--keepalive", "30s,5s,3"]).Run().Expect(0);

        Assert.Equal((5, 3), (result.Summary("matched"), result.Summary("cured")));
        Assert.All([without, with, hasThem], static socket => Assert.Equal(["1 on=1 idle=30 interval=5 count=3 user-timeout=0"], socket.Options));
        Assert.Equal(["1 on=1 idle=30 interval=5 count=3 user-timeout=45000"], patient.Options);
        Assert.Equal(["1 on=0 idle=7200 interval=75 count=9 user-timeout=44999"], impatient.Options);
        Assert.Single(result.Log, static line => line.Contains(
            " info left alone: its own TCP_USER_TIMEOUT is shorter than the keepalive ", StringComparison.Ordinal));
    }

    /// <summary>Without --keepalive, what has keepalive is left alone, with its values, whatever else is asked for.</summary>
    [Fact]
    public void AUserTimeoutGoesWithTheKeepalive()
    {
        using var path = NetworkPath.AtOnce();
        (SocketRange without, _) = path.Connect();
        (SocketRange with, _) = path.Connect(options: "keepalive=300,20,4");

        Result result = path.Tool([.. s_words, "--user-timeout", "2m"]).Run().Expect(0);

        Assert.Equal((2, 1), (result.Summary("matched"), result.Summary("cured")));
        Assert.Equal(["1 on=1 idle=60 interval=10 count=6 user-timeout=120000"], without.Options);
        Assert.Equal(["1 on=1 idle=300 interval=20 count=4 user-timeout=0"], with.Options);
        Assert.Equal(2, path.Tool([.. s_words, "--user-timeout", "119s"]).Run().ExitCode);
        path.Tool([.. s_words, "--keepalive", "60s", "--user-timeout", "2m"]).Run().Expect(0);
        Assert.Equal(["1 on=1 idle=60 interval=10 count=6 user-timeout=120000"], with.Options);
    }

    /// <summary>The kernel alone finds the vanished peer from then on, and its owner hears of it; who is only quiet stays.</summary>
    [Fact]
    public void AVanishedPeerIsThenNoticed()
    {
        using var path = NetworkPath.AtOnce();
        (SocketRange vanished, _) = path.Connect(2, NetworkPath.Far4(3));
        (SocketRange quiet, _) = path.Connect(2);

        Assert.Equal(4, path.Tool([.. s_words, "--keepalive", "2s,1s,3"]).Run().Expect(0).Summary("cured"));
        path.Vanish(3);

        vanished.WaitFor("ETIMEDOUT");
        Assert.Equal(["2 alive"], quiet.Looks);
    }

    /// <summary>As a service it gives each new connection its keepalive, and says nothing of those that have theirs.</summary>
    [Fact]
    public void AServiceCuresEachNewConnection()
    {
        const string Cured = "1 on=1 idle=60 interval=10 count=6 user-timeout=0";
        using var path = NetworkPath.AtOnce();
        using Command service = path.Tool("-d", $"{NetworkPath.Port}", "--method", "keepalive", "-i", "100ms").Start();
        for (int i = 0; i < 3; i++)
        {
            (SocketRange near, _) = path.Connect();
            Until.True(() => near.Options[0] == Cured, "the cure");
        }

        service.Signal("TERM");
        Result result = service.WaitForEnd().Expect(0);
        Assert.Equal(3, result.Summary("cured"));
        Assert.Equal(3, result.Log.Count(static line => line.Contains(" info cured ", StringComparison.Ordinal)));
    }

    [Fact]
    public void AnMptcpConnectionIsCuredAsOne()
    {
        using var path = NetworkPath.AtOnce();
        Assert.SkipUnless(File.Exists("/proc/sys/net/mptcp/enabled"), "this kernel has no MPTCP");
        _ = path.Far.Ask("listen 10.9.0.2 7001 mptcp");
        SocketRange near = path.Near.Connect("10.9.0.2 7001 1 mptcp");
        _ = path.Far.Accept(7001, 1);

        Result result = path.Tool("-d", "7001", "--method", "keepalive").Run().Expect(0);

        Assert.Equal(1, result.Summary("cured"));
        Assert.Equal(["1 on=1 idle=60 interval=10 count=6 user-timeout=EOPNOTSUPP"], near.Options);
    }

    [Fact]
    public void WhoHasNoOwnerCannotBeCured()
    {
        using var path = NetworkPath.AtOnce();
        (SocketRange near, _) = path.Connect();
        near.Do("close");
        string[] all = [.. s_words, "--state", "fin-wait-2", "--json"];
        Until.True(() => path.Tool(["-n", .. all]).Run().Summary("matched") == 1, "the acknowledgement of the FIN");

        Result result = path.Tool(all).Run();

        // FIN_WAIT2 that nobody has open ends by itself after a minute.
        Assert.Equal((1, 1, 1), (result.ExitCode, result.Summary("idle"), result.Summary("failed")));
        Assert.Contains("\"no_owner\"", result.Stdout, StringComparison.Ordinal);
    }
}
