using TcpCloser.KernelTests.Harness;
using Xunit;

namespace TcpCloser.KernelTests;

/// <summary>Closing without SOCK_DESTROY: the socket is fetched from its owner and disconnected; what owner and peer see, and who lives on.</summary>
public sealed class DisconnectTests
{
    private const int Count = 3;

    [Theory]
    // state, family, Lab's extra option, what the owner saw, the peer's view, the peer's TCP state
    [InlineData("established", "v4", "", "ECONNRESET,eof", "reset", "closed")]
    [InlineData("established", "v6", "", "ECONNRESET,eof", "reset", "closed")]
    [InlineData("established", "dual", "", "ECONNRESET,eof", "reset", "closed")]
    [InlineData("established", "mapped", "", "ECONNRESET,eof", "reset", "closed")]
    [InlineData("established", "v4", "--unread=100", "ECONNRESET,eof", "reset", "closed")]
    [InlineData("established", "v6", "--unsent=9000", "ECONNRESET,eof", "reset", "closed")]
    [InlineData("established", "v4", "--sharers=2", "ECONNRESET,eof", "reset", "closed")]
    [InlineData("fin-wait-1", "v4", "", "ECONNRESET,eof", "reset", "closed")]
    [InlineData("fin-wait-2", "v6", "", "ECONNRESET,eof", "pipe", "closed")]
    [InlineData("close-wait", "v4", "", "eof,ECONNRESET", "reset", "closed")]
    [InlineData("last-ack", "dual", "", "eof,ECONNRESET", "reset", "closed")]
    public void OwnerAndPeerLearnOfIt(string state, string family, string option, string owner, string peer, string peerTcp)
    {
        string[] extra = option.Split('=', StringSplitOptions.RemoveEmptyEntries);
        using var lab = LabProcess.Start(["--count", $"{Count}", "--state", state, "--family", family, "--client-process", .. extra]);
        var before = lab.List();

        var result = lab.Tool("--method", "disconnect", family == "v6" ? "-6" : "-4", "-s", $"{LabProcess.Port}", "--state", state).Expect(0);

        Assert.Equal(Count, result.Summary("closed"));
        foreach (var connection in before)
        {
            Assert.Single(result.Log, line => line.Contains($" disconnected {connection.ServerAddress} -> {connection.ClientAddress} state={state} ", StringComparison.Ordinal));
        }

        Assert.Single(lab.Sockets(), socket => socket.LocalPort == LabProcess.Port);
        lab.WaitEnded(Count);
        foreach (var connection in lab.List())
        {
            Assert.Equal(owner, connection.Server.Saw);
            Assert.Equal(peer, connection.Client.View);
            Assert.Equal(peerTcp, connection.Client.Tcp);
        }
        Assert.Equal(0, lab.State()["processes", "dead"]);
        Assert.Equal(1, lab.State()["listener", "alive"]);
    }

    /// <summary>One holder of each socket is enough, and is looked for where it costs the least; -v names all of them.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void OneHolderIsEnough(bool looksAtAll)
    {
        const int Decoys = 10;
        const int Files = 1_000;
        Assert.SkipUnless(OperatingSystem.IsOSPlatformVersionAtLeast("Linux", 6, 2), "before Linux 6.2 nobody can tell how many descriptors a process has");
        using var lab = LabProcess.Start("--count", "1", "--sharers", "2", "--decoy-processes", $"{Decoys}", "--decoy-files", $"{Files}");
        using TemporaryFolder folder = new();
        string trace = folder.File("trace");

        string[] verbose = looksAtAll ? ["-v"] : [];
        var result = new ToolRun(lab)
        {
            Wrapper = ["strace", "-f", "-o", trace, "-e", "trace=readlinkat"],
            Arguments = ["--method", "disconnect", "-s", $"{LabProcess.Port}", "--disable-syslog", .. verbose],
        }.Run().Expect(0);

        Assert.Equal(1, result.Summary("closed"));
        Assert.Equal(looksAtAll, result.Stderr.Contains(" owners=3", StringComparison.Ordinal));
        Assert.Equal(looksAtAll, File.ReadLines(trace).Count() > Decoys * Files);
        Assert.Equal(0, lab.State()["processes", "dead"]);
    }

    /// <summary>Who polls wakes at the disconnect, and looks before the shutdown that follows or after it.</summary>
    [Theory]
    [InlineData("read", "read:EPIPE", "")]
    [InlineData("write", "write:ECONNRESET", "")]
    [InlineData("poll", "poll:ERR,HUP", "poll:IN,ERR,HUP,RDHUP")]
    [InlineData("epoll", "epoll:ERR,HUP", "epoll:IN,ERR,HUP,RDHUP")]
    public void ABlockedOwnerWakesAtOnce(string call, string returned, string returnedLater)
    {
        using var lab = LabProcess.Start("--blocked", call);

        lab.Tool("--method", "disconnect", "-s", $"{LabProcess.Port}").Expect(0);

        lab.WaitEnded(1);
        var connection = Assert.Single(lab.List());
        Assert.Contains(connection.Server.Blocked, (string[])[returned, returnedLater]);
        Assert.Equal("reset", connection.Client.View);
    }

    [Theory]
    [InlineData("connect", "connect:EPIPE", "pipe")]
    [InlineData("none", "", "reset")]
    public void SynSentIsDisconnected(string blocked, string returned, string view)
    {
        using var lab = LabProcess.Start("--blocked", blocked, "--state", "syn-sent");

        lab.Tool("--method", "disconnect", "-d", $"{LabProcess.Port}", "--state", "syn-sent").Expect(0);

        lab.WaitEnded(1);
        var client = Assert.Single(lab.List()).Client;
        Assert.Equal(returned, client.Blocked);
        Assert.Equal(view, client.View);
    }

    [Theory]
    [InlineData("unaccepted", 2)]
    [InlineData("time-wait", 2)]
    public void WhatNobodyHasOpenIsReportedAsFailed(string state, int count)
    {
        using var lab = LabProcess.Start("--count", $"{count}", "--state", state);

        var result = lab.Tool("--method", "disconnect", "-s", $"{LabProcess.Port}", "--state", "established,time-wait").Expect(1);

        Assert.Equal(count, result.Summary("failed"));
        Assert.Equal(count, result.Log.Count(line => line.Contains(" error failed ", StringComparison.Ordinal) && line.Contains("inode 0", StringComparison.Ordinal)));
    }

    [Fact]
    public void WithoutTheRightToPtraceNothingIsTouched()
    {
        using var lab = LabProcess.Start("--count", "2");
        Assert.SkipWhen(Namespaces.NeedUserNamespace, "in a user namespace there is no second user to be");

        var result = new ToolRun(lab)
        {
            Wrapper = ["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups"],
            Arguments = ["--method", "disconnect", "-s", $"{LabProcess.Port}", "--disable-syslog"],
        }.Run().Expect(3);

        Assert.Contains("CAP_SYS_PTRACE", result.Stderr, StringComparison.Ordinal);
        Assert.Equal(0, result.Summary("closed"));
        Assert.Equal(2, lab.State()["server", "alive"]);
    }

    [Theory]
    [InlineData("EPERM", 3, "capabilities that this one lacks")]
    [InlineData("ENOSYS", 3, "Linux 5.6")]
    public void WhatTheKernelRefusesIsSaidInItsOwnWords(string errno, int exit, string words)
    {
        using var lab = LabProcess.Start("--count", "2");
        using TemporaryFolder folder = new();

        var result = new ToolRun(lab)
        {
            Wrapper = ["strace", "-f", "-o", folder.File("trace"), "-e", "trace=pidfd_getfd", "-e", $"inject=pidfd_getfd:error={errno}"],
            Arguments = ["--method", "disconnect", "-s", $"{LabProcess.Port}", "--disable-syslog"],
        }.Run().Expect(exit);

        Assert.Contains(words, result.Stderr, StringComparison.Ordinal);
        Assert.Equal(2, result.Summary("failed"));
        Assert.Equal(2, lab.State()["server", "alive"]);
    }

    [Fact]
    public void AKernelThatDoesNotDisconnectBusySocketsIsToldApart()
    {
        using var lab = LabProcess.Start("--count", "2");
        using TemporaryFolder folder = new();

        var result = new ToolRun(lab)
        {
            Wrapper = ["strace", "-f", "-o", folder.File("trace"), "-e", "trace=connect", "-e", "inject=connect:error=EBUSY:when=1"],
            Arguments = ["--method", "disconnect", "-s", $"{LabProcess.Port}", "--disable-syslog"],
        }.Run().Expect(1);

        Assert.Equal(1, result.Summary("failed"));
        Assert.Equal(1, result.Summary("closed"));
        Assert.Contains("EBUSY", Assert.Single(result.Log, line => line.Contains(" error failed ", StringComparison.Ordinal)), StringComparison.Ordinal);
        Assert.Single(result.Log, line => line.Contains(" error ", StringComparison.Ordinal) && line.Contains("6.4 to 6.6", StringComparison.Ordinal));
        Assert.Equal(1, lab.State()["server", "alive"]);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public void ADescriptorThatBecameAnotherSocketIsLeftAlone(int sharers)
    {
        using var lab = LabProcess.Start("--count", "2", "--client-process", "--sharers", $"{sharers}");
        using TemporaryFolder folder = new();
        string trace = folder.File("trace");
        string[] client = lab.List()[0].ClientAddress.Split(':');

        // The tool stops once it has opened the owner's pidfd: it has read which descriptor the socket is, and not fetched it yet.
        using var run = new ToolRun(lab)
        {
            Wrapper = ["strace", "-f", "-o", trace, "-e", "trace=pidfd_open,pidfd_getfd", "-e", "inject=pidfd_open:signal=SIGSTOP:when=1"],
            Arguments = ["--method", "disconnect", "-s", $"{LabProcess.Port}", "-d", client[1], "--disable-syslog"],
        }.Start();
        Until.True(() => File.Exists(trace) && File.ReadAllText(trace).Contains("stopped by SIGSTOP", StringComparison.Ordinal), "the stopped tool");
        Assert.DoesNotContain("pidfd_getfd", File.ReadAllText(trace), StringComparison.Ordinal);
        lab.Ask("reuse 1 0");
        Strace.Signal(run, "CONT");
        var result = run.WaitForEnd();

        // Connection 1 has now both descriptors, and must live. Connection 0 is the sharer's alone, or nobody's.
        Assert.Equal("alive", lab.List()[1].Server.View);
        Assert.Equal("alive", lab.List()[1].Client.View);
        Assert.DoesNotContain(result.Log, line => line.Contains(" disconnected ", StringComparison.Ordinal) && line.Contains(lab.List()[1].ClientAddress + " ", StringComparison.Ordinal));
        Assert.Equal(sharers, result.Summary("closed"));
        result.Expect(sharers == 1 ? 0 : result.Summary("failed"));
        Assert.Equal(sharers == 1 ? "reset" : "eof", lab.List()[0].Client.View);
    }
}
