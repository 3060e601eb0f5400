namespace TcpCloser.KernelTests;

/// <summary><c>-t</c> in states after the peer's FIN: the FIN counts as received data, although it carries none.</summary>
public sealed class AfterFinTests
{
    private const int Idle = 2_000;

    [Fact]
    public void IdleTime_PeerSentItsFin_CountsFromTheFin()
    {
        using var path = NetworkPath.Fast();
        (SocketRange closeWait, SocketRange far) = path.Connect(2);
        (SocketRange lastAck, SocketRange farLastAck) = path.Connect(1, NetworkPath.Far4(3));
        (SocketRange closing, SocketRange farClosing) = path.Connect(1, NetworkPath.Far4(4));
        closeWait.WaitQuiet(Idle + 100);
        far.Do("shutdown");
        farLastAck.Do("shutdown");
        Until.True(() => lastAck.InfoWord("state") == "close-wait", "the peer's FIN");
        path.Vanish(3);
        lastAck.Do("shutdown"); // a second process still has the descriptor, and the peer does not acknowledge the FIN

        // Both sides send their FIN before they receive the other's: CLOSING.
        path.InNear("ip link set slow0 arp off");
        closing.Do("shutdown");
        farClosing.Do("shutdown");

        string[] arguments = ["-d", $"{NetworkPath.Port}", "--state", "close-wait,last-ack,closing", "-t", $"{Idle}ms", "--json"];
        Dictionary<long, string> outcomes = ProbeTests.Outcomes(path.Tool(arguments).Run().Expect(0));
        Assert.Equal(("busy", "busy", "busy"), (outcomes[closeWait[0].Port], outcomes[closeWait[1].Port], outcomes[lastAck.Port]));

        closeWait.WaitQuiet(Idle + 100);
        outcomes = ProbeTests.Outcomes(path.Tool(arguments).Run().Expect(0));
        Assert.Equal(("destroyed", "destroyed"), (outcomes[closeWait[0].Port], outcomes[closeWait[1].Port]));
        Assert.Equal("destroyed", outcomes[lastAck.Port]);
        Assert.Equal("1 ECONNABORTED", closeWait[0].Views[0]);
    }

    /// <summary>States after a close select connections by themselves once -t is given, in any spelling.</summary>
    [Theory]
    [Values("close-wait", "CLOSE_WAIT", "Close-Wait")]
    public void State_CloseWaitInAnySpelling_IsASelectionWithIdleTime(string state)
    {
        using var path = NetworkPath.Fast();
        (SocketRange near, SocketRange far) = path.Connect();
        (SocketRange established, _) = path.Connect();
        far.Do("shutdown");
        near.WaitFor("eof");
        near.WaitQuiet(300);

        Assert.Equal(2, path.Tool("--state", state).Run().ExitCode); // without -t it selects nothing
        path.Tool("--state", state, "-t", "300ms").Run().Expect(0, "matched=1 closed=1");

        Assert.Equal(["1 alive"], established.Views);
    }
}
