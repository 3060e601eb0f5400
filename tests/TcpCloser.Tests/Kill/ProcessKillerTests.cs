using TcpCloser.Diag;
using TcpCloser.Interop;
using TcpCloser.Tests.Support;

namespace TcpCloser.Tests.Kill;

/// <summary><c>--method kill</c>: who is signalled, what is looked at right before, and what is told.</summary>
public sealed class ProcessKillerTests : KillTrial
{
    /// <summary>A process that holds several is signalled once, and one that holds none is not.</summary>
    [Fact]
    public void EachHolderIsSignalledOnce()
    {
        FakeProcess sibling = Host.Add(new FakeProcess(201));
        FakeProcess other = Host.Add(new FakeProcess(202));
        FakeTcp[] wanted = [Add(Worker), Add(Worker, sibling), Add(Worker)];
        Add(other);
        Assert.Equal(["Killed", "Killed", "Killed"], Kill(Host.Candidates(wanted)));
        Assert.Equal([(200, Signal.SIGKILL), (201, Signal.SIGKILL)], Host.Signals);
        Assert.Equal(Host.Signals, Sink.Signals);
    }

    [Theory]
    [InlineData("--signal TERM", new[] { 15 })]
    [InlineData("--signal 10 --grace 1ms", new[] { 10, 9 })]
    [InlineData("--grace 1ms", new[] { 15, 9 })]
    [InlineData("", new[] { 9 })]
    public void TheSignals(string words, int[] signals)
    {
        FakeProcess stubborn = Host.Add(new FakeProcess(210) { Survives = static signal => signal != Signal.SIGKILL });
        Add(stubborn);
        Kill(words: words, stop: () => stubborn.Signals.SequenceEqual(signals));
        Assert.Equal(signals, stubborn.Signals);
    }

    /// <summary>Who went at the first signal is not signalled again; who has only some of its connections left is.</summary>
    [Fact]
    public void TheGraceIsForSurvivorsOnly()
    {
        FakeProcess stubborn = Host.Add(new FakeProcess(210) { Survives = static signal => signal != Signal.SIGKILL });
        Add(Worker);
        Add(stubborn);
        Assert.Equal(["Killed", "Killed"], Kill(words: "--grace 1ms"));
        Assert.Equal([(200, Signal.SIGTERM), (210, Signal.SIGTERM), (210, Signal.SIGKILL)], Host.Signals);
    }

    /// <summary>Who was not signalled is not killed after the grace either.</summary>
    [Fact]
    public void TheGraceIsNotForThoseThatWereRefused()
    {
        FakeProcess stubborn = Host.Add(new FakeProcess(210) { Survives = static signal => signal != Signal.SIGKILL });
        Add(Worker);
        Add(stubborn);
        int signals = 0;
        Host.Faults.Errno = (call, _) => call == "signal" && signals++ == 0 ? Errno.EPERM : 0;
        Assert.Equal(["Failed", "Killed"], Kill(words: "--grace 1ms"));
        Assert.Empty(Worker.Signals);
    }

    /// <summary>While it waits for the grace a stop ends the wait, and no further signal follows.</summary>
    [Fact]
    public void AStopInTheGrace()
    {
        FakeProcess stubborn = Host.Add(new FakeProcess(210) { Survives = static _ => true });
        Add(stubborn);
        Assert.Equal(["StillThere"], Kill(words: "--grace 1h", stop: () => stubborn.Signals.Count > 0));
        Assert.Equal([Signal.SIGTERM], stubborn.Signals);
    }

    [Fact]
    public void AStopBeforeTheSecondProcess()
    {
        Add(Worker);
        Add(Host.Add(new FakeProcess(201)));
        Assert.Equal(["Killed", "NotReached"], Kill(stop: () => Host.Signals.Count > 0));
        Assert.Equal([(200, Signal.SIGKILL)], Host.Signals);
    }

    [Theory]
    [InlineData("open process", Errno.EMFILE, Operation.SignalProcess)]
    [InlineData("signal", Errno.EPERM, Operation.SignalProcess)]
    public void WhatIsRefused(string call, int errno, object operation)
    {
        Add(Worker);
        ConnectionList candidates = Host.Candidates();
        Host.Faults.Errno = (name, _) => name == call ? errno : 0;
        Assert.Equal(["Failed"], Kill(candidates));
        Assert.Equal(errno, candidates[0].Errno);
        Assert.Equal([((Operation)operation, errno, "process 200")], Sink.Problems);
    }

    /// <summary>A holder that cannot be judged is protected, and that is a problem, not a rule.</summary>
    [Fact]
    public void AHolderThatCannotBeJudged()
    {
        Add(Worker);
        int read = 0;
        Host.Faults.Errno = (call, _) => call == "read status" && read++ == 0 ? Errno.EMFILE : 0;
        Assert.Equal(["OwnerProtected"], Kill());
        Assert.Equal([(Operation.ReadProcess, Errno.EMFILE, "of process 200")], Sink.Problems);
        Assert.Empty(Host.Signals);
    }

    /// <summary>A kernel without pidfd, and a filter that is older than the call: the id has to do.</summary>
    [Theory]
    [InlineData(Errno.ENOSYS)]
    [InlineData(Errno.EPERM)]
    public void WithoutAHandleOfTheProcess(int errno)
    {
        Add(Worker);
        Host.Faults.Errno = (call, _) => call == "open process" ? errno : 0;
        Assert.Equal(["Killed"], Kill());
        Assert.Equal([(200, Signal.SIGKILL)], Host.Signals);
    }

    [Fact]
    public void AProcessThatEndedByThenRefusedNothing()
    {
        Add(Worker);
        Host.Faults.Errno = static (call, _) => call == "signal" ? Errno.ESRCH : 0;
        Assert.Equal(["NoOwner"], Kill());
        Assert.Empty(Sink.Problems);
    }

    /// <summary>Who is not the owner's, or is protected, keeps the connection open: none of the others is signalled in vain.</summary>
    [Theory]
    [InlineData(1000, 1000, "Killed")]
    [InlineData(1000, 999, "OwnerOther")]
    [InlineData(0, 33, "Killed")]
    [InlineData(65534, 65534, "OwnerOther")]
    [InlineData(1000, 0, "OwnerOther")]
    public void WhoseProcessesAreSignalled(uint owner, uint second, string outcome)
    {
        FakeTcp socket = Add(Host.Add(new FakeProcess(201) { Uid = owner }), Host.Add(new FakeProcess(202) { Uid = second }));
        socket.Dumped = socket.Dumped with { Uid = owner };
        Assert.Equal([outcome], Kill());
        Assert.Equal(outcome == "Killed" ? 2 : 0, Host.Signals.Count);
    }

    [Fact]
    public void AProtectedHolder()
    {
        FakeTcp handed = Add(Host.Processes[0], Worker);
        handed.Dumped = handed.Dumped with { Uid = 0 };
        Assert.Equal(["OwnerProtected"], Kill());
        Assert.Empty(Host.Signals);
    }

    [Fact]
    public void WithoutAnInodeThereIsNoOwner()
    {
        FakeTcp orphan = Add();
        orphan.Dumped = orphan.Dumped with { Inode = 0 };
        Worker.Descriptors[3] = "socket:[0]";
        Assert.Equal(["NoOwner"], Kill());
        Assert.Empty(Host.Signals);
        Assert.Empty(Sink.Problems);
    }

    [Fact]
    public void TheHolderMayBeAmongThoseThatCannotBeLookedInto()
    {
        Add(Host.Add(new FakeProcess(300) { Refusal = Errno.EACCES }));
        Assert.Equal(["NoOwner"], Kill());
        Assert.Equal([(Operation.ListDescriptors, Errno.EACCES, "of process 300")], Sink.Problems);

        // Where every owner was found, it does not matter.
        var tests = new ProcessKillerTests();
        tests.Add(tests.Worker);
        tests.Host.Add(new FakeProcess(300) { Refusal = Errno.EACCES });
        Assert.Equal(["Killed"], tests.Kill());
        Assert.Empty(tests.Sink.Problems);
    }

    /// <summary>What the kernel winds down alone, without an owner, is closed.</summary>
    [Fact]
    public void WhatLingersAloneIsClosed()
    {
        Host.Add(new FakeTcp(new DumpedSocket { Inode = NextInode, Uid = Owner }) { Lingers = true }, Worker);
        Assert.Equal(["Killed"], Kill());
    }

    /// <summary>Whether it went could not be found out: it was signalled, and so it is neither closed nor untouched.</summary>
    [Fact]
    public void WhatCannotBeLookedUpAfterwardsIsUnknown()
    {
        Add(Worker);
        ConnectionList candidates = Host.Candidates();
        Host.Faults.Errno = (call, _) => call == "send" && Host.Signals.Count > 0 ? Errno.ENOMEM : 0;
        Assert.Equal(["Unknown"], Kill(candidates));
        Assert.Equal(Errno.ENOMEM, candidates[0].Errno);
    }

    /// <summary>A connection that went while another process was signalled, of which not everything is known, may have been its.</summary>
    [Fact]
    public void WhoMayHaveHeldIt()
    {
        FakeTcp first = Add(Worker);
        FakeTcp second = Add(Worker);
        int read = 0;
        Host.Faults.Errno = (call, _) => call == "read fd" && read++ == 1 ? Errno.EACCES : 0;
        Assert.Equal(["Killed", "Unknown"], Kill());
        Assert.False(first.IsOpen || second.IsOpen);
    }
}
