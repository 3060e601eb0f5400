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
        (Counts dry, int dryStatus) = Run("-n", "--method", method);
        (Counts real, int realStatus) = Run("--method", method);

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

        int status = Rounds.Make(scene.Host.Machine, [observer], stop: null, "-n", "--include-own-session", "--method", "kill", "-46", "-s", "22").Run();

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

    private static (Counts Counts, int Status) Run(params string[] words)
    {
        var scene = new ServerScene(new FakeHost());
        var observer = new RecordingObserver();
        int status = Rounds.Make(scene.Host.Machine, [observer], stop: null, ["-46", "-s", "22", "-t", "1s", .. words]).Run();
        return (observer.Counts!, status);
    }
}
