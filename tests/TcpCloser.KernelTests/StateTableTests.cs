using TcpCloser.KernelTests.Harness;
using Xunit;

namespace TcpCloser.KernelTests;

/// <summary>What a destroy does in each TCP state, and what the socket's owner and its peer see of it.</summary>
public sealed class StateTableTests
{
    /// <summary>How many connections each test makes.</summary>
    private const int Count = 3;

    [Theory]
    // state, family, Lab's extra option, what the owner saw, the peer's view, the peer's TCP state
    [InlineData("established", "v4", "", "ECONNABORTED,eof", "reset", "closed")]
    [InlineData("established", "v6", "", "ECONNABORTED,eof", "reset", "closed")]
    [InlineData("established", "dual", "", "ECONNABORTED,eof", "reset", "closed")]
    [InlineData("established", "mapped", "", "ECONNABORTED,eof", "reset", "closed")]
    [InlineData("established", "v4", "--unread=100", "ECONNABORTED", "reset", "closed")]
    [InlineData("established", "v6", "--unsent=9000", "ECONNABORTED,eof", "reset", "closed")]
    [InlineData("fin-wait-1", "v4", "", "ECONNABORTED,eof", "reset", "closed")]
    [InlineData("fin-wait-1", "v6", "", "ECONNABORTED,eof", "reset", "closed")]
    [InlineData("fin-wait-1", "dual", "--orphan", "", "reset", "closed")]
    [InlineData("fin-wait-2", "v4", "", "ECONNABORTED,eof", "pipe", "closed")]
    [InlineData("fin-wait-2", "dual", "", "ECONNABORTED,eof", "pipe", "closed")]
    [InlineData("fin-wait-2", "v6", "--orphan", "", "eof", "close-wait")]
    [InlineData("close-wait", "v4", "", "eof,ECONNABORTED", "reset", "closed")]
    [InlineData("close-wait", "v6", "", "eof,ECONNABORTED", "reset", "closed")]
    [InlineData("last-ack", "v4", "", "eof,ECONNABORTED", "alive", "fin-wait-2")]
    [InlineData("last-ack", "v6", "--orphan", "", "alive", "fin-wait-2")]
    [InlineData("closing", "v4", "", "eof,ECONNABORTED", "alive", "fin-wait-2")]
    [InlineData("closing", "dual", "--orphan", "", "alive", "fin-wait-2")]
    [InlineData("syn-recv", "v4", "", "", "alive", "syn-sent")]
    [InlineData("syn-recv", "v6", "", "", "alive", "syn-sent")]
    [InlineData("syn-recv", "dual", "", "", "alive", "syn-sent")]
    [InlineData("time-wait", "v4", "", "", "none", "")]
    [InlineData("time-wait", "v6", "", "", "none", "")]
    [InlineData("time-wait", "dual", "", "", "none", "")]
    public void TheServersEndIsDestroyed(string state, string family, string option, string owner, string peer, string peerTcp)
    {
        string[] extra = option.Split('=', StringSplitOptions.RemoveEmptyEntries);
        using var lab = LabProcess.Start(["--count", $"{Count}", "--state", state, "--family", family, .. extra]);
        var before = lab.List();

        var result = lab.Tool(Family(family), "-s", $"{LabProcess.Port}", "--state", state).Expect(0);

        Assert.Equal(Count, result.Summary("matched"));
        Assert.Equal(Count, result.Summary("closed"));
        foreach (var connection in before)
        {
            Assert.Single(result.Destroyed, line => line.Contains($" {connection.ServerAddress} -> {connection.ClientAddress} state={state} ", StringComparison.Ordinal));
        }

        Assert.DoesNotContain(lab.Sockets(), socket => socket.LocalPort == LabProcess.Port && socket.State != "listening");
        Assert.Single(lab.Sockets(), socket => socket.LocalPort == LabProcess.Port);
        foreach (var connection in lab.List())
        {
            Assert.Equal(owner, connection.Server.Saw);
            Assert.Equal(peer, connection.Client.View);
            Assert.Equal(peerTcp, connection.Client.Tcp);
        }
    }

    [Theory]
    [InlineData("v4")]
    [InlineData("v6")]
    [InlineData("mapped")]
    public void SynSentIsDestroyed(string family)
    {
        using var lab = LabProcess.Start("--count", $"{Count}", "--state", "syn-sent", "--family", family);

        var result = lab.Tool(Family(family), "-d", $"{LabProcess.Port}", "--state", "syn-sent").Expect(0);

        Assert.Equal(Count, result.Summary("closed"));
        Assert.All(lab.List(), connection => Assert.Equal("aborted", connection.Client.View));
    }

    [Theory]
    [InlineData("read", "read:ECONNABORTED")]
    [InlineData("write", "write:ECONNABORTED")]
    [InlineData("poll", "poll:IN,ERR,HUP,RDHUP")]
    [InlineData("epoll", "epoll:IN,ERR,HUP,RDHUP")]
    public void ABlockedOwnerWakesAtOnce(string call, string returned)
    {
        using var lab = LabProcess.Start("--blocked", call);

        lab.Tool("-s", $"{LabProcess.Port}").Expect(0);

        var connection = Assert.Single(lab.List());
        Assert.Equal(returned, connection.Server.Blocked);
        Assert.Equal("aborted", connection.Server.View);
        Assert.Equal("reset", connection.Client.View);
    }

    [Fact]
    public void ABlockedConnectWakesAtOnce()
    {
        using var lab = LabProcess.Start("--blocked", "connect", "--state", "syn-sent");

        lab.Tool("-d", $"{LabProcess.Port}", "--state", "syn-sent").Expect(0);

        Assert.Equal("connect:ECONNABORTED", Assert.Single(lab.List()).Client.Blocked);
    }

    [Theory]
    [InlineData("v4")]
    [InlineData("v6")]
    [InlineData("dual")]
    public void AConnectionNobodyAcceptedYetIsDestroyed(string family)
    {
        using var lab = LabProcess.Start("--state", "unaccepted", "--family", family);

        lab.Tool(Family(family), "-s", $"{LabProcess.Port}").Expect(0);

        Assert.Equal("reset", Assert.Single(lab.List()).Client.View);
        Assert.Contains("read=ECONNABORTED", Assert.Single(lab.Ask("accept")), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("v4")]
    [InlineData("v6")]
    [InlineData("dual")]
    public void AListenerIsDestroyedWhereItIsNamed(string family)
    {
        using var lab = LabProcess.Start("--count", "2", "--state", "listen", "--family", family);

        // A dual-stack listener is an IPv6 socket that has no IPv4 address.
        var result = lab.Tool(family == "v4" ? "-4" : "-6", "-s", $"{LabProcess.Port}", "--state", "listen").Expect(0);

        Assert.Equal(1, result.Summary("closed"));
        Assert.Equal("accept=EINVAL", Assert.Single(lab.Ask("accept")));
        Assert.Equal(2, lab.State()["client", "reset"]);
        Assert.Equal(1, lab.State()["listener", "dead"]);
    }

    private static string Family(string family) => family == "v6" ? "-6" : "-4";
}
