namespace TcpCloser.KernelTests;

/// <summary>What a destroy or a disconnect does in each TCP state, and what the socket's owner and its peer see.</summary>
public sealed class StateTableTests
{
    private const int Count = 3;

    /// <summary>
    /// A row has the method, the state, the family, an extra option of the Lab, what the owner saw, and the peer's view and TCP
    /// state.
    /// </summary>
    [Theory]
    [Rows(
        "auto | established | v4 |  | ECONNABORTED,eof | reset | closed",
        "auto | established | v6 |  | ECONNABORTED,eof | reset | closed",
        "auto | established | dual |  | ECONNABORTED,eof | reset | closed",
        "auto | established | mapped |  | ECONNABORTED,eof | reset | closed",
        "auto | established | v4 | --unread=100 | ECONNABORTED | reset | closed",
        "auto | established | v6 | --unsent=9000 | ECONNABORTED,eof | reset | closed",
        "auto | fin-wait-1 | v4 |  | ECONNABORTED,eof | reset | closed",
        "auto | fin-wait-1 | v6 |  | ECONNABORTED,eof | reset | closed",
        "auto | fin-wait-1 | dual | --orphan |  | reset | closed",
        "auto | fin-wait-2 | v4 |  | ECONNABORTED,eof | pipe | closed",
        "auto | fin-wait-2 | dual |  | ECONNABORTED,eof | pipe | closed",
        "auto | fin-wait-2 | v6 | --orphan |  | eof | close-wait",
        "auto | close-wait | v4 |  | eof,ECONNABORTED | reset | closed",
        "auto | close-wait | v6 |  | eof,ECONNABORTED | reset | closed",
        "auto | last-ack | v4 |  | eof,ECONNABORTED | alive | fin-wait-2",
        "auto | last-ack | v6 | --orphan |  | alive | fin-wait-2",
        "auto | closing | v4 |  | eof,ECONNABORTED | alive | fin-wait-2",
        "auto | closing | dual | --orphan |  | alive | fin-wait-2",
        "auto | syn-recv | v4 |  |  | alive | syn-sent",
        "auto | syn-recv | v6 |  |  | alive | syn-sent",
        "auto | syn-recv | dual |  |  | alive | syn-sent",
        "auto | time-wait | v4 |  |  | none | ",
        "auto | time-wait | v6 |  |  | none | ",
        "auto | time-wait | dual |  |  | none | ",
        "disconnect | established | v4 |  | ECONNRESET,eof | reset | closed",
        "disconnect | established | v6 |  | ECONNRESET,eof | reset | closed",
        "disconnect | established | dual |  | ECONNRESET,eof | reset | closed",
        "disconnect | established | mapped |  | ECONNRESET,eof | reset | closed",
        "disconnect | established | v4 | --unread=100 | ECONNRESET,eof | reset | closed",
        "disconnect | established | v6 | --unsent=9000 | ECONNRESET,eof | reset | closed",
        "disconnect | established | v4 | --sharers=2 | ECONNRESET,eof | reset | closed",
        "disconnect | fin-wait-1 | v4 |  | ECONNRESET,eof | reset | closed",
        "disconnect | fin-wait-2 | v6 |  | ECONNRESET,eof | pipe | closed",
        "disconnect | close-wait | v4 |  | eof,ECONNRESET | reset | closed",
        "disconnect | last-ack | dual |  | eof,ECONNRESET | reset | closed")]
    public void Close_EachTcpStateOfTheServer_OwnerAndPeerSeeTheExpectedEnd(
        string method, string state, string family, string option, string owner, string peer, string peerTcp)
    {
        string[] extra = option.Split('=', StringSplitOptions.RemoveEmptyEntries);
        using var lab = LabProcess.Start(["--count", $"{Count}", "--state", state, "--family", family, "--client-process", .. extra]);
        var before = lab.List();
        var result = lab.Tool("--method", method, Family(family), "-s", LabProcess.PortText, "--state", state).Expect(0, $"matched={Count} closed={Count}");

        string done = method == "auto" ? "destroyed" : "disconnected";
        foreach (var connection in before)
        {
            Assert.Single(result.Log, line => line.Contains($" {done} {connection.ServerAddress} -> {connection.ClientAddress} state={state} "));
        }

        Assert.Equal("listen", Assert.Single(lab.Sockets(), socket => socket.LocalPort == LabProcess.Port).State);
        if (owner.Length > 0)
        {
            lab.WaitEnded(Count);
        }

        foreach (var connection in lab.List())
        {
            Assert.Equal(owner, connection.Server.Saw);
            Assert.Equal((peer, peerTcp), (connection.Client.View, connection.Client.Tcp));
        }
        lab.ExpectState("processes dead=0, listener alive=1");
    }

    [Theory]
    [Rows("auto | v4 | none |  | aborted", "auto | v6 | none |  | aborted", "auto | mapped | none |  | aborted",
        "auto | v4 | connect | connect:ECONNABORTED | aborted", "disconnect | v4 | none |  | reset", "disconnect | v4 | connect | connect:EPIPE | pipe")]
    public void Close_SynSent_OwnerSeesTheExpectedEnd(string method, string family, string blocked, string returned, string view)
    {
        using var lab = LabProcess.Start("--count", $"{Count}", "--state", "syn-sent", "--family", family, "--blocked", blocked);
        lab.Tool("--method", method, Family(family), "-d", LabProcess.PortText, "--state", "syn-sent").Expect(0, $"closed={Count}");
        lab.WaitEnded(Count);
        Assert.All(lab.List(), connection => Assert.Equal((returned, view), (connection.Client.Blocked, connection.Client.View)));
    }

    /// <summary>
    /// A process that polls wakes at the disconnect, and may read the events before the shutdown that follows or after
    /// it.
    /// </summary>
    [Theory]
    [Rows("auto | read | read:ECONNABORTED", "auto | write | write:ECONNABORTED", "auto | poll | poll:IN,ERR,HUP,RDHUP",
        "auto | epoll | epoll:IN,ERR,HUP,RDHUP", "disconnect | read | read:EPIPE", "disconnect | write | write:ECONNRESET",
        "disconnect | poll | poll:ERR,HUP or poll:IN,ERR,HUP,RDHUP", "disconnect | epoll | epoll:ERR,HUP or epoll:IN,ERR,HUP,RDHUP")]
    public void Close_OwnerBlockedInACall_Wakes(string method, string call, string returned)
    {
        using var lab = LabProcess.Start("--blocked", call);
        lab.Tool("--method", method, "-s", LabProcess.PortText).Expect(0);
        lab.WaitEnded(1);
        var connection = Assert.Single(lab.List());
        Assert.Contains(connection.Server.Blocked, returned.Split(" or "));
        Assert.Equal((method == "auto" ? "aborted" : connection.Server.View, "reset"), (connection.Server.View, connection.Client.View));
    }

    [Theory]
    [Values("v4", "v6", "dual")]
    public void Destroy_ConnectionNotAcceptedYet_IsClosed(string family)
    {
        using var lab = LabProcess.Start("--state", "unaccepted", "--family", family);
        lab.Tool(Family(family), "-s", $"{LabProcess.Port}").Expect(0);
        Assert.Equal("reset", Assert.Single(lab.List()).Client.View);
        Assert.Contains("read=ECONNABORTED", Assert.Single(lab.Ask("accept")), StringComparison.Ordinal);
    }

    [Theory]
    [Values("v4", "v6", "dual")]
    public void Destroy_ListenerSelectedByState_IsClosed(string family)
    {
        using var lab = LabProcess.Start("--count", "2", "--state", "listen", "--family", family);
        // A dual-stack listener is an IPv6 socket that has no IPv4 address.
        lab.Tool(family == "v4" ? "-4" : "-6", "-s", $"{LabProcess.Port}", "--state", "listen").Expect(0, "closed=1");
        Assert.Equal("accept=EINVAL", Assert.Single(lab.Ask("accept")));
        lab.ExpectState("listener dead=1");
        lab.AwaitState("client reset=2");
    }

    private static string Family(string family) => family == "v6" ? "-6" : "-4";
}
