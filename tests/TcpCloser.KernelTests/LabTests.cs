using TcpCloser.KernelTests.Harness;
using Xunit;

namespace TcpCloser.KernelTests;

/// <summary>That the Lab makes what it says, and tells what it sees: every other test leans on that. The counterpart is iproute2's ss.</summary>
public sealed class LabTests
{
    [Theory]
    [InlineData("established", "v4", "established")]
    [InlineData("established", "v6", "established")]
    [InlineData("established", "dual", "established")]
    [InlineData("unaccepted", "v4", "established")]
    [InlineData("syn-recv", "v4", "syn-recv")]
    [InlineData("syn-recv", "dual", "syn-recv")]
    [InlineData("fin-wait-1", "v4", "fin-wait-1")]
    [InlineData("fin-wait-2", "v6", "fin-wait-2")]
    [InlineData("close-wait", "v4", "close-wait")]
    [InlineData("last-ack", "v6", "last-ack")]
    [InlineData("closing", "v4", "closing")]
    [InlineData("time-wait", "v6", "time-wait")]
    public void EveryStateIsReached(string state, string family, string inKernel)
    {
        using var lab = LabProcess.Start("--count", "3", "--state", state, "--family", family);

        Assert.Equal(3, lab.Sockets().Count(socket => socket.LocalPort == LabProcess.Port && socket.State == inKernel));
    }

    [Fact]
    public void SynSentIsTheClients()
    {
        using var lab = LabProcess.Start("--count", "3", "--state", "syn-sent");

        Assert.Equal(3, lab.Sockets().Count(socket => socket.RemotePort == LabProcess.Port && socket.State == "syn-sent"));
    }

    [Fact]
    public void BothEndsTellWhatTheySawOfADestroy()
    {
        using var lab = LabProcess.Start("--count", "5", "--decoys", "2");
        Assert.Equal(5, lab.State()["server", "alive"]);
        Assert.Equal(5, lab.State()["client", "alive"]);

        DestroyBySs(lab);

        lab.WaitEnded(5);
        var state = lab.State();
        Assert.Equal(5, state["server", "aborted"]);
        Assert.Equal(5, state["client", "reset"]);
        Assert.Equal(4, state["decoy", "alive"]);
        Assert.Equal(1, state["listener", "alive"]);
    }

    [Theory]
    [InlineData("read", "read:ECONNABORTED")]
    [InlineData("write", "write:ECONNABORTED")]
    [InlineData("poll", "poll:IN,ERR,HUP,RDHUP")]
    [InlineData("epoll", "epoll:IN,ERR,HUP,RDHUP")]
    public void ABlockedCallTellsWhatItReturned(string call, string result)
    {
        using var lab = LabProcess.Start("--blocked", call);
        Assert.Equal(call + ":pending", lab.List()[0].Server.Blocked);

        DestroyBySs(lab);

        Assert.Equal(result, lab.List()[0].Server.Blocked);
    }

    [Fact]
    public void SharersKeepASocketAliveWhenItsProcessDies()
    {
        using var lab = LabProcess.Start(
            new LabSurroundings { OwnProcesses = true }, "--count", "2", "--sharers", "2", "--client-process");

        int server = Assert.Single(lab.Processes("server"));
        Assert.Equal(2, lab.Processes("sharer").Length);
        Command.Run([.. lab.Inside(), "kill", "-s", "KILL", $"{server}"]);

        Until.True(() => lab.State()["processes", "dead"] == 1, "the death");
        Assert.Equal(2, lab.State()["server", "gone"]);
        Assert.Equal(2, lab.State()["client", "alive"]);
    }

    [Fact]
    public void ConnectionsAreSpreadOverProcessesWithinTheLimitOfOpenFiles()
    {
        using var lab = LabProcess.Start("--count", "20000");

        Assert.Equal(20000, lab.State()["server", "alive"]);
        Assert.Equal(20000, lab.State()["client", "alive"]);
    }

    [Fact]
    public void ABusyConnectionKeepsReceiving()
    {
        using var lab = LabProcess.Start("--count", "2", "--busy", "1");

        // Its receive clock is young again and again, while the idle one's only grows.
        lab.WaitIdle(1, 300);
        Assert.Single(lab.ReceiveAges(), age => age >= 300);
    }

    private static void DestroyBySs(LabProcess lab)
        => Command.Run([.. lab.Inside(), "ss", "-K", "-t", "state", "established", "sport", "=", $":{LabProcess.Port}"]);
}
