namespace TcpCloser.Tests.Kill;

/// <summary><c>--method kill</c>: which processes are signalled, and what is reported.</summary>
public sealed class ProcessKillerTests : KillTestBase
{
    /// <summary>A process that holds several candidates is signalled once, and a process that holds none is not.</summary>
    [Fact]
    public void Kill_HolderOfSeveralConnections_IsSignalledOnce()
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
    public void Kill_SignalAndGraceOptions_DecideTheSignals(string words, int[] signals)
    {
        FakeProcess stubborn = Host.Add(new FakeProcess(210) { Survives = static signal => signal != Signal.SIGKILL });
        Add(stubborn);
        Kill(words: words, stop: () => stubborn.Signals.SequenceEqual(signals));
        Assert.Equal(signals, stubborn.Signals);
    }

    [Theory]
    [Rows("false | Killed", "true | Failed")]
    public void Grace_OneOfTwoProcessesEndsOrIsRefused_OnlyTheOtherGetsSigkill(bool isRefused, string outcome)
    {
        Add(Worker);
        Add(Host.Add(new FakeProcess(210) { Survives = static signal => signal != Signal.SIGKILL }));
        if (isRefused)
        {
            Host.Faults.FailOnce("signal", Errno.EPERM);
        }

        Assert.Equal([outcome, "Killed"], Kill(words: "--grace 1ms"));
        Assert.Equal([(200, Signal.SIGTERM), (210, Signal.SIGTERM), (210, Signal.SIGKILL)], isRefused ? [(200, Signal.SIGTERM), .. Host.Signals] : Host.Signals);
    }

    [Fact]
    public void Grace_StopRequested_SendsNoSigkill()
    {
        FakeProcess stubborn = Host.Add(new FakeProcess(210) { Survives = static _ => true });
        Add(stubborn);
        Assert.Equal(["NotAwaited"], Kill(words: "--grace 1h", stop: () => stubborn.Signals.Count > 0));
        Assert.Equal([Signal.SIGTERM], stubborn.Signals);
    }

    [Fact]
    public void Kill_StopAfterTheFirstProcess_SignalsNoOther()
    {
        Add(Worker);
        Add(Host.Add(new FakeProcess(201)));
        Assert.Equal(["Killed", "NotReached"], Kill(stop: () => Host.Signals.Count > 0));
        Assert.Equal([(200, Signal.SIGKILL)], Host.Signals);
    }

    [Theory]
    [Rows("open process | EMFILE | SignalProcess", "signal | EPERM | SignalProcess")]
    public void Kill_SignalRefused_IsFailedAndReported(string call, int errno, object operation)
    {
        Add(Worker);
        ConnectionList candidates = Host.Candidates();
        Host.Faults.Fail(call, errno);
        Assert.Equal(["Failed"], Kill(candidates));
        Assert.Equal(errno, candidates[0].Errno);
        Assert.Equal([((Operation)operation, errno, "process 200")], Sink.Problems);
    }

    /// <summary>A holder that cannot be checked is protected, and unlike other protected holders it is reported as a problem.</summary>
    [Fact]
    public void Kill_HolderCannotBeChecked_IsProtectedAndReported()
    {
        Add(Worker);
        Host.Faults.FailOnce("read status", Errno.EMFILE);
        Assert.Equal(["OwnerProtected"], Kill());
        Assert.Equal([(Operation.ReadProcess, Errno.EMFILE, "of process 200")], Sink.Problems);
        Assert.Empty(Host.Signals);
    }

    /// <summary>On a kernel without pidfds, or under a filter that is older than the call, the process is signalled by its id.</summary>
    [Theory]
    [Values(Errno.ENOSYS, Errno.EPERM)]
    public void Kill_NoPidfd_SignalsById(int errno)
    {
        Add(Worker);
        Host.Faults.Fail("open process", errno);
        Assert.Equal(["Killed"], Kill());
        Assert.Equal([(200, Signal.SIGKILL)], Host.Signals);
    }

    [Fact]
    public void Kill_ProcessEndsBeforeTheSignal_ReportsNoProblem()
    {
        Add(Worker);
        Host.Faults.Fail("signal", Errno.ESRCH);
        Assert.Equal(["NoOwner"], Kill());
        Assert.Empty(Sink.Problems);
    }

    /// <summary>
    /// A holder of a different user keeps the connection open, so none of the others is signalled in vain. If the user namespace does not map
    /// every user, its overflow uid is nobody's in particular.
    /// </summary>
    [Theory]
    [Rows("1000 | 1000 | null | Killed", "1000 | 999 | null | OwnerOther", "0 | 33 | null | Killed", "65534 | 65534 | null | Killed",
        "65534 | 65534 | 65534 | OwnerOther", "1000 | 0 | null | OwnerOther")]
    public void Kill_HoldersOfSeveralUsers_SignalsAllOrNone(uint owner, uint second, uint? overflowUid, string outcome)
    {
        Host.OverflowUid = overflowUid;
        FakeTcp socket = Add(Host.Add(new FakeProcess(201) { Uid = owner }), Host.Add(new FakeProcess(202) { Uid = second }));
        socket.Dumped = socket.Dumped with { Uid = owner };
        Assert.Equal([outcome], Kill());
        Assert.Equal(outcome == "Killed" ? 2 : 0, Host.Signals.Count);
    }

    /// <summary>
    /// A process that was forked on the first signal holds the socket: it is found right before SIGKILL, and gets that signal, unless it
    /// runs as a different user.
    /// </summary>
    [Theory]
    [Rows("1000 | Killed", "5 | StillThere")]
    public void Grace_ChildForkedOnTheFirstSignal_IsKilledIfItIsOfTheSameUser(uint uid, string outcome)
    {
        FakeTcp? socket = null;
        bool HandsOver(int signal)
        {
            if (signal == Signal.SIGTERM)
            {
                Host.Add(new FakeProcess(211) { Parent = 210, Uid = uid, Descriptors = { [3] = socket!.Link } });
            }

            return false;
        }

        socket = Add(Host.Add(new FakeProcess(210) { Survives = HandsOver }));
        Assert.Equal([outcome], Kill(words: "--grace 1ms"));
        Assert.Equal(outcome == "Killed" ? [(210, Signal.SIGTERM), (211, Signal.SIGKILL)] : [(210, Signal.SIGTERM)], Host.Signals);
    }

    /// <summary>After SIGKILL the wait is at most a second, however long the grace was.</summary>
    [Fact]
    [Trait("Category", "Long")]
    public void Grace_ProcessSurvivesSigkill_IsNotWaitedForAnotherGrace()
    {
        Add(Host.Add(new FakeProcess(210) { Survives = static _ => true }));
        long started = System.Diagnostics.Stopwatch.GetTimestamp();
        Assert.Equal(["StillThere"], Kill(words: "--grace 10s"));
        Assert.InRange(System.Diagnostics.Stopwatch.GetElapsedTime(started).TotalSeconds, 11, 19.9);
    }

    [Fact]
    public void Kill_ProtectedHolder_SignalsNoHolder()
    {
        FakeTcp handed = Add(Host.Processes[0], Worker);
        handed.Dumped = handed.Dumped with { Uid = 0 };
        Assert.Equal(["OwnerProtected"], Kill());
        Assert.Empty(Host.Signals);
    }

    [Fact]
    public void Kill_SocketWithoutAnInode_HasNoHolder()
    {
        FakeTcp orphan = Add();
        orphan.Dumped = orphan.Dumped with { Inode = 0 };
        Worker.Descriptors[3] = "socket:[0]";
        Assert.Equal(["NoOwner"], Kill());
        Assert.Empty(Host.Signals);
        Assert.Empty(Sink.Problems);
    }

    [Theory]
    [Rows("false | OwnerUnknown", "true | Killed")]
    public void Kill_ProcessUnreadable_MattersOnlyIfTheHolderIsNotFound(bool isFound, string outcome)
    {
        FakeProcess unreadable = Host.Add(new FakeProcess(300) { Refusal = Errno.EACCES });
        Add(isFound ? Worker : unreadable);
        Assert.Equal([outcome], Kill());
        Assert.Equal(isFound ? [] : [(Operation.ListDescriptors, Errno.EACCES, "of process 300")], Sink.Problems);
    }

    /// <summary>A connection without a holder that the kernel still winds down counts as closed.</summary>
    [Fact]
    public void Kill_KernelStillWindsTheConnectionDown_IsClosed()
    {
        Host.Add(new FakeTcp(new DumpedSocket { Inode = NextInode, Uid = 1000 }) { Lingers = true }, Worker);
        Assert.Equal(["Killed"], Kill());
    }

    /// <summary>The holder was signalled, but whether the connection is gone is unknown: it is neither closed nor untouched.</summary>
    [Fact]
    public void Kill_LookupFailsAfterTheSignal_IsUnknown()
    {
        Add(Worker);
        ConnectionList candidates = Host.Candidates();
        Host.Faults.Errno = (call, _) => call == "send" && Host.Signals.Count > 0 ? Errno.ENOMEM : 0;
        Assert.Equal(["Unknown"], Kill(candidates));
        Assert.Equal(Errno.ENOMEM, candidates[0].Errno);
    }

    /// <summary>A connection that ended while a partly unreadable process was signalled may have been held by that process.</summary>
    [Fact]
    public void Kill_SignalledProcessPartlyUnreadable_ConnectionThatEndsIsUnknown()
    {
        FakeTcp first = Add(Worker);
        FakeTcp second = Add(Worker);
        Host.Faults.FailOnce("read fd", Errno.EACCES, which: 1);
        Assert.Equal(["Killed", "Unknown"], Kill());
        Assert.False(first.IsOpen || second.IsOpen);
    }
}
