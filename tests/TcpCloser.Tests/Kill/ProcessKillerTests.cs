using TcpCloser.Cli;
using TcpCloser.Diag;
using TcpCloser.Interop;
using TcpCloser.Kill;
using TcpCloser.Tests.Support;

namespace TcpCloser.Tests.Kill;

/// <summary><c>--method kill</c>: who is signalled, what is looked at right before, and what is told.</summary>
public sealed class ProcessKillerTests
{
    private const uint Owner = 1000;

    private readonly FakeHost _host = new();
    private readonly FakeProcess _worker;
    private RecordingSink _sink = new(new ConnectionList());
    private uint _next = 500;

    public ProcessKillerTests()
    {
        _host.Add(new FakeProcess(1) { Uid = 0 });
        _host.Add(new FakeProcess(_host.Self) { Parent = 1, Uid = 0 });
        _worker = _host.Add(new FakeProcess(200));
    }

    /// <summary>A process that holds several is signalled once, and one that holds none is not.</summary>
    [Fact]
    public void EachHolderIsSignalledOnce()
    {
        FakeProcess sibling = _host.Add(new FakeProcess(201));
        FakeProcess other = _host.Add(new FakeProcess(202));
        FakeTcp[] wanted = [Add(_worker), Add(_worker, sibling), Add(_worker)];
        Add(other);
        Assert.Equal(["Killed", "Killed", "Killed"], Kill(_host.Candidates(wanted)));
        Assert.Equal([(200, Signal.SIGKILL), (201, Signal.SIGKILL)], _host.Signals);
        Assert.Equal(_host.Signals, _sink.Signals);
    }

    [Theory]
    [InlineData("--signal TERM", new[] { 15 })]
    [InlineData("--signal 10 --grace 1ms", new[] { 10, 9 })]
    [InlineData("--grace 1ms", new[] { 15, 9 })]
    [InlineData("", new[] { 9 })]
    public void TheSignals(string words, int[] signals)
    {
        FakeProcess stubborn = _host.Add(new FakeProcess(210) { Survives = static signal => signal != Signal.SIGKILL });
        Add(stubborn);
        Kill(words: words, stop: () => stubborn.Signals.SequenceEqual(signals));
        Assert.Equal(signals, stubborn.Signals);
    }

    /// <summary>Who went at the first signal is not signalled again; who has only some of its connections left is.</summary>
    [Fact]
    public void TheGraceIsForSurvivorsOnly()
    {
        FakeProcess stubborn = _host.Add(new FakeProcess(210) { Survives = static signal => signal != Signal.SIGKILL });
        Add(_worker);
        Add(stubborn);
        Assert.Equal(["Killed", "Killed"], Kill(words: "--grace 1ms"));
        Assert.Equal([(200, Signal.SIGTERM), (210, Signal.SIGTERM), (210, Signal.SIGKILL)], _host.Signals);
    }

    /// <summary>Who was not signalled is not killed after the grace either.</summary>
    [Fact]
    public void TheGraceIsNotForThoseThatWereRefused()
    {
        FakeProcess stubborn = _host.Add(new FakeProcess(210) { Survives = static signal => signal != Signal.SIGKILL });
        Add(_worker);
        Add(stubborn);
        int signals = 0;
        _host.Faults.Errno = (call, _) => call == "signal" && signals++ == 0 ? Errno.EPERM : 0;
        Assert.Equal(["Failed", "Killed"], Kill(words: "--grace 1ms"));
        Assert.Empty(_worker.Signals);
    }

    /// <summary>While it waits for the grace a stop ends the wait, and no further signal follows.</summary>
    [Fact]
    public void AStopInTheGrace()
    {
        FakeProcess stubborn = _host.Add(new FakeProcess(210) { Survives = static _ => true });
        Add(stubborn);
        Assert.Equal(["StillThere"], Kill(words: "--grace 1h", stop: () => stubborn.Signals.Count > 0));
        Assert.Equal([Signal.SIGTERM], stubborn.Signals);
    }

    [Fact]
    public void AStopBeforeTheSecondProcess()
    {
        Add(_worker);
        Add(_host.Add(new FakeProcess(201)));
        Assert.Equal(["Killed", "NotReached"], Kill(stop: () => _host.Signals.Count > 0));
        Assert.Equal([(200, Signal.SIGKILL)], _host.Signals);
    }

    /// <summary>Right before the signal the process has to hold the socket still, under the same number and inode.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void ADescriptorThatIsAnotherByThen(bool isClosed)
    {
        Add(_worker);
        _host.Faults.Before = (call, _) =>
        {
            if (call == "open process")
            {
                _worker.Descriptors.Clear();
                _worker.Descriptors[3] = isClosed ? "pipe:[500]" : "socket:[77]";
            }
        };
        Assert.Equal(["NoOwner"], Kill());
        Assert.Empty(_host.Signals);
    }

    [Fact]
    public void AConnectionThatEndedByThen()
    {
        FakeTcp socket = Add(_worker);
        _host.Faults.Before = (call, _) =>
        {
            if (call == "open process" && socket.IsOpen)
            {
                socket.End(FakeHost.ByItself);
            }
        };
        Assert.Equal(["Vanished"], Kill());
        Assert.Empty(_host.Signals);
    }

    /// <summary>And it has to be idle still: of its age at the dump nothing is said here.</summary>
    [Fact]
    public void AConnectionThatIsBusyByThen()
    {
        FakeTcp socket = Add(_worker);
        socket.Dumped = socket.Dumped with { LastDataRecv = 5 };
        Assert.Equal(["Busy"], Kill(words: "-t 10s"));
        Assert.Empty(_host.Signals);
    }

    /// <summary>One of a process's connections is busy by then, another is not: for the other it is signalled.</summary>
    [Fact]
    public void OneThatIsBusyDoesNotSpareItsProcess()
    {
        FakeTcp busy = Add(_worker);
        Add(_worker);
        busy.Dumped = busy.Dumped with { LastDataRecv = 5 };
        Assert.Equal(["Killed", "Killed"], Kill(words: "-t 10s"));
    }

    [Theory]
    [InlineData("open process", Errno.EMFILE, Operation.SignalProcess)]
    [InlineData("signal", Errno.EPERM, Operation.SignalProcess)]
    public void WhatIsRefused(string call, int errno, object operation)
    {
        Add(_worker);
        ConnectionList candidates = _host.Candidates();
        _host.Faults.Errno = (name, _) => name == call ? errno : 0;
        Assert.Equal(["Failed"], Kill(candidates));
        Assert.Equal(errno, candidates[0].Errno);
        Assert.Equal([((Operation)operation, errno, "process 200")], _sink.Problems);
    }

    /// <summary>The look right before the signal fails: then there is no signal.</summary>
    [Theory]
    [InlineData("open fd", 4, Errno.EMFILE, Operation.ListDescriptors)]
    [InlineData("read fd", 2, Errno.EACCES, Operation.ReadDescriptor)]
    public void WhatCannotBeLookedAtAgain(string call, int which, int errno, object operation)
    {
        Add(_worker);
        int calls = 0;
        _host.Faults.Errno = (name, _) => name == call && ++calls == which ? errno : 0;
        Assert.Equal(["Failed"], Kill());
        Assert.Equal([((Operation)operation, errno, "process 200")], _sink.Problems);
        Assert.Empty(_host.Signals);
    }

    /// <summary>Whether it is still idle cannot be found out: then there is no signal, and it is said why.</summary>
    [Fact]
    public void WhatCannotBeLookedUpRightBefore()
    {
        Add(_worker);
        int sent = 0;
        _host.Faults.Errno = (call, _) => call == "send" && sent++ == 0 ? Errno.ENOMEM : 0;
        Assert.Equal(["Failed"], Kill());
        Assert.Equal([(Operation.LookUpSocket, Errno.ENOMEM, "process 200")], _sink.Problems);
        Assert.Empty(_host.Signals);
    }

    /// <summary>A holder that cannot be judged is protected, and that is a problem, not a rule.</summary>
    [Fact]
    public void AHolderThatCannotBeJudged()
    {
        Add(_worker);
        int read = 0;
        _host.Faults.Errno = (call, _) => call == "read status" && read++ == 0 ? Errno.EMFILE : 0;
        Assert.Equal(["OwnerProtected"], Kill());
        Assert.Equal([(Operation.ReadProcess, Errno.EMFILE, "of process 200")], _sink.Problems);
        Assert.Empty(_host.Signals);
    }

    /// <summary>A kernel without pidfd, and a filter that is older than the call: the id has to do.</summary>
    [Theory]
    [InlineData(Errno.ENOSYS)]
    [InlineData(Errno.EPERM)]
    public void WithoutAHandleOfTheProcess(int errno)
    {
        Add(_worker);
        _host.Faults.Errno = (call, _) => call == "open process" ? errno : 0;
        Assert.Equal(["Killed"], Kill());
        Assert.Equal([(200, Signal.SIGKILL)], _host.Signals);
    }

    [Fact]
    public void AProcessThatEndedByThenRefusedNothing()
    {
        Add(_worker);
        _host.Faults.Errno = static (call, _) => call == "signal" ? Errno.ESRCH : 0;
        Assert.Equal(["NoOwner"], Kill());
        Assert.Empty(_sink.Problems);
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
        FakeTcp socket = Add(_host.Add(new FakeProcess(201) { Uid = owner }), _host.Add(new FakeProcess(202) { Uid = second }));
        socket.Dumped = socket.Dumped with { Uid = owner };
        Assert.Equal([outcome], Kill());
        Assert.Equal(outcome == "Killed" ? 2 : 0, _host.Signals.Count);
    }

    [Fact]
    public void AProtectedHolder()
    {
        FakeTcp handed = Add(_host.Processes[0], _worker);
        handed.Dumped = handed.Dumped with { Uid = 0 };
        Assert.Equal(["OwnerProtected"], Kill());
        Assert.Empty(_host.Signals);
    }

    [Fact]
    public void WithoutAnInodeThereIsNoOwner()
    {
        FakeTcp orphan = Add();
        orphan.Dumped = orphan.Dumped with { Inode = 0 };
        _worker.Descriptors[3] = "socket:[0]";
        Assert.Equal(["NoOwner"], Kill());
        Assert.Empty(_host.Signals);
        Assert.Empty(_sink.Problems);
    }

    [Fact]
    public void TheHolderMayBeAmongThoseThatCannotBeLookedInto()
    {
        Add(_host.Add(new FakeProcess(300) { Refusal = Errno.EACCES }));
        Assert.Equal(["NoOwner"], Kill());
        Assert.Equal([(Operation.ListDescriptors, Errno.EACCES, "of process 300")], _sink.Problems);

        // Where every owner was found, it does not matter.
        var tests = new ProcessKillerTests();
        tests.Add(tests._worker);
        tests._host.Add(new FakeProcess(300) { Refusal = Errno.EACCES });
        Assert.Equal(["Killed"], tests.Kill());
        Assert.Empty(tests._sink.Problems);
    }

    /// <summary>What the kernel winds down alone, without an owner, is closed.</summary>
    [Fact]
    public void WhatLingersAloneIsClosed()
    {
        _host.Add(new FakeTcp(new DumpedSocket { Inode = _next, Uid = Owner }) { Lingers = true }, _worker);
        Assert.Equal(["Killed"], Kill());
    }

    /// <summary>Whether it went could not be found out: it was signalled, and so it is neither closed nor untouched.</summary>
    [Fact]
    public void WhatCannotBeLookedUpAfterwardsIsUnknown()
    {
        Add(_worker);
        ConnectionList candidates = _host.Candidates();
        _host.Faults.Errno = (call, _) => call == "send" && _host.Signals.Count > 0 ? Errno.ENOMEM : 0;
        Assert.Equal(["Unknown"], Kill(candidates));
        Assert.Equal(Errno.ENOMEM, candidates[0].Errno);
    }

    /// <summary>A connection that went while another process was signalled, of which not everything is known, may have been its.</summary>
    [Fact]
    public void WhoMayHaveHeldIt()
    {
        FakeTcp first = Add(_worker);
        FakeTcp second = Add(_worker);
        int read = 0;
        _host.Faults.Errno = (call, _) => call == "read fd" && read++ == 1 ? Errno.EACCES : 0;
        Assert.Equal(["Killed", "Unknown"], Kill());
        Assert.False(first.IsOpen || second.IsOpen);
    }

    private FakeTcp Add(params FakeProcess[] holders) =>
        _host.Add(new FakeTcp(new DumpedSocket { Inode = _next++, Cookie = _next, DestinationPort = (ushort)_next, Uid = Owner, LastDataRecv = 60_000 }), holders);

    private string[] Kill(ConnectionList? candidates = null, string words = "", Func<bool>? stop = null)
    {
        candidates ??= _host.Candidates();
        _sink = new RecordingSink(candidates);
        Rule rule = Words.Rule(["-s", "22", "--method", "kill", .. words.Split(' ', StringSplitOptions.RemoveEmptyEntries)]);
        new ProcessKiller(rule, new IdleRule(rule), _host.OpenProcesses).Close(candidates, _sink, stop ?? (static () => false));
        _sink.AssertAllTold();
        Assert.Equal(0, _host.AllLeftOpen);
        return [.. Enumerable.Range(0, candidates.Count).Select(i => candidates[i].Outcome.ToString())];
    }
}
