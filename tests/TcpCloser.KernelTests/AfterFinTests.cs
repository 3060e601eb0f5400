using TcpCloser.KernelTests.Harness;
using TcpCloser.KernelTests.Harness.Paths;
using Xunit;

namespace TcpCloser.KernelTests;

/// <summary><c>-t</c> in states after the peer's FIN: that is news, although it is no data.</summary>
public sealed class AfterFinTests
{
    private const int Idle = 2_000;

    [Fact]
    public void TheFinIsNews()
    {
        using var path = NetworkPath.AtOnce();
        (SocketRange closeWait, SocketRange far) = path.Connect(2);
        (SocketRange lastAck, SocketRange farLastAck) = path.Connect(1, NetworkPath.Far4(3));
        (SocketRange closing, SocketRange farClosing) = path.Connect(1, NetworkPath.Far4(4));
        closeWait.WaitQuiet(Idle + 100);
        far.Do("shutdown");
        farLastAck.Do("shutdown");
        Until.True(() => lastAck.InfoWord("state") == "close-wait", "the FIN");
        path.Vanish(3);
        lastAck.Do("shutdown"); // a descriptor is left, and the peer does not acknowledge the FIN

        // Both send their FIN before they get the other's: closing.
        path.InNear("ip link set slow0 arp off");
        closing.Do("shutdown");
        farClosing.Do("shutdown");

        string[] words = ["-d", $"{NetworkPath.Port}", "--state", "close-wait,last-ack,closing", "-t", $"{Idle}ms", "--json"];
        Dictionary<long, string> outcomes = ProbeTests.Outcomes(path.Tool(words).Run().Expect(0));
        Assert.Equal(("busy", "busy", "busy"), (outcomes[closeWait[0].Port], outcomes[closeWait[1].Port], outcomes[lastAck.Port]));

        closeWait.WaitQuiet(Idle + 100);
        outcomes = ProbeTests.Outcomes(path.Tool(words).Run().Expect(0));
        Assert.Equal(("destroyed", "destroyed"), (outcomes[closeWait[0].Port], outcomes[closeWait[1].Port]));
        Assert.Equal("destroyed", outcomes[lastAck.Port]);
        Assert.Equal("1 ECONNABORTED", closeWait[0].Looks[0]);
    }

    /// <summary>States after a close are a selection by themselves, with -t, and in anybody's spelling.</summary>
    [Theory]
    [InlineData("close-wait")]
    [InlineData("CLOSE_WAIT")]
    [InlineData("Close-Wait")]
    public void ByTheirStateAlone(string state)
    {
        using var path = NetworkPath.AtOnce();
        (SocketRange near, SocketRange far) = path.Connect();
        (SocketRange established, _) = path.Connect();
        far.Do("shutdown");
        near.WaitFor("eof");
        near.WaitQuiet(300);

        Assert.Equal(2, path.Tool("--state", state).Run().ExitCode); // without -t it selects nothing
        Result result = path.Tool("--state", state, "-t", "300ms").Run().Expect(0);

        Assert.Equal((1, 1), (result.Summary("matched"), result.Summary("closed")));
        Assert.Equal(["1 alive"], established.Looks);
    }
}
