using TcpCloser.Interop;
using TcpCloser.Report;
using TcpCloser.Tests.Support;

namespace TcpCloser.Tests.Runs;

/// <summary>A dry run says what the run would come to.</summary>
public sealed class DryRunTests
{
    [Theory]
    [InlineData("destroy")]
    [InlineData("disconnect")]
    [InlineData("kill")]
    public void TheCountsAndTheStatusAreThoseOfTheRun(string method)
    {
        (Counts dry, ExitStatus dryStatus) = Run("-n", "--method", method);
        (Counts real, ExitStatus realStatus) = Run("--method", method);

        Assert.True(real.Closed > 0);
        Assert.Equal((real.Matched, real.Idle, real.Spared, real.Failed), (dry.Matched, dry.Idle, dry.Spared, dry.Failed));
        Assert.Equal((0, real.Closed), (dry.Closed, dry.WouldClose));
        Assert.Equal(realStatus, dryStatus);
    }

    /// <summary>Why a process counts as one that is never signalled is told, where it could not be looked at.</summary>
    [Fact]
    public void WhatCouldNotBeJudgedIsTold()
    {
        var scene = new ServerScene(new FakeHost());
        scene.Host.Faults.Errno = static (call, _) => call == "read stat" ? Errno.EIO : 0;
        var observer = new RecordingObserver();

        ExitStatus status = Rounds.Make(scene.Host.Machine, [observer], stop: null, "-n", "--include-own-session", "--method", "kill", "-46", "-s", "22").Run();

        Assert.Equal(ExitStatus.Incomplete, status);
        Assert.Contains(observer.Errors, static error => error.Contains("EIO", StringComparison.Ordinal));
        Assert.Equal(0, observer.Counts!.WouldClose);
    }

    /// <summary>Also where the owners were looked up before, for the lines of -v.</summary>
    [Theory]
    [InlineData("-n")]
    [InlineData("-nv")]
    public void WhatAKillTakesAlongIsCounted(string flags)
    {
        var scene = new ServerScene(new FakeHost());
        string rows = Written.ToStdout(() =>
        {
            var table = new DryRunTable(new OutputStream(Unistd.STDOUT_FILENO, new Patience(null)), namesNamespaces: false, "kill");
            _ = Rounds.Make(scene.Host.Machine, [table], stop: null, flags, "--method", "kill", "-46", "-s", "22", "-t", "1s").Run();
        });

        Assert.Contains("other connections)", rows, StringComparison.Ordinal);
    }

    /// <summary>What -v has read of /proc is not read again, unless what the processes hold besides is to be counted.</summary>
    [Theory]
    [InlineData("disconnect", 1)]
    [InlineData("keepalive", 1)]
    [InlineData("destroy", 1)]
    [InlineData("kill", 2)]
    public void TheOwnersAreLookedUpOnce(string method, int times)
    {
        var scene = new ServerScene(new FakeHost());
        _ = Rounds.Make(scene.Host.Machine, [new RecordingObserver()], stop: null, "-nv", "--include-own-session", "--method", method, "-46", "-s", "22").Run();
        Assert.Equal(times, scene.Host.Faults.Calls.Count(static call => call == "list processes"));
    }

    /// <summary>To ask a peer one holder is enough; the table names all of them.</summary>
    [Fact]
    public void AfterAskingThePeersEveryHolderIsNamed()
    {
        var host = new FakeHost();
        var socket = new FakeTcp(new DumpedSocket { SourcePort = 22, Rto = 4_000 }) { Peer = new FakePeer(FakeAnswer.Nothing, quietMs: 60_000) };
        host.Add(socket, host.Add(new FakeProcess(200)), host.Add(new FakeProcess(201)));
        string rows = Written.ToStdout(() =>
        {
            var table = new DryRunTable(new OutputStream(Unistd.STDOUT_FILENO, new Patience(null)), namesNamespaces: false, "disconnect");
            _ = Rounds.Make(host.Machine, [table], stop: null, "-n", "--include-own-session", "--probe", "3s", "--method", "disconnect", "-46", "-s", "22", "-t", "1s").Run();
        });

        Assert.Contains("worker[200] +1", rows, StringComparison.Ordinal);
    }

    private static (Counts Counts, ExitStatus Status) Run(params string[] words)
    {
        var scene = new ServerScene(new FakeHost());
        var observer = new RecordingObserver();
        ExitStatus status = Rounds.Make(scene.Host.Machine, [observer], stop: null, ["-46", "-s", "22", "-t", "1s", .. words]).Run();
        return (observer.Counts!, status);
    }
}
