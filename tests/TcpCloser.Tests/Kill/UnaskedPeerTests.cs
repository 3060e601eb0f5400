namespace TcpCloser.Tests.Kill;

/// <summary>Peers whose socket no process shows, or whose holder refuses, closes it, or passes it on.</summary>
public sealed class UnaskedPeerTests : ProbeTestBase
{
    /// <summary>A socket that no process shows is never called silent, and is reported.</summary>
    [Fact]
    public void Probe_NoProcessShowsTheSocket_IsUnasked()
    {
        Add(FakeAnswer.Nothing, holder: null);
        Assert.Equal(["Unasked"], RunProbe("3s"));
        UnaskedPeers unasked = Assert.Single(Sink.UnaskedPeers);
        Assert.Equal((1, 1, 1), (unasked.Wanted, unasked.Count, unasked.Unheld));
        Assert.StartsWith("the only connection could not be probed and is skipped (1: no process shows the socket", UnaskedText.Describe(unasked), StringComparison.Ordinal);
    }

    /// <summary>A process that cannot be inspected may hold the socket; the other processes do not matter.</summary>
    [Fact]
    public void Probe_HolderUnreadable_IsUnaskedForThatReason()
    {
        FakeProcess hidden = Host.Add(new FakeProcess(1_001) { Refusal = Errno.EACCES });
        Add(FakeAnswer.Acknowledge);
        Add(FakeAnswer.Nothing, hidden);
        ConnectionList candidates = Host.Candidates();
        Assert.Equal(["Answered", "Unasked"], RunProbe("3s", candidates));
        Assert.Equal(Errno.EACCES, candidates[1].Errno);
        UnaskedPeers unasked = Assert.Single(Sink.UnaskedPeers);
        Assert.Equal((2, 1, 1, "of process 1001"), (unasked.Wanted, unasked.Count, unasked.Hidden, unasked.Unreadable!.Failure.Subject));
    }

    [Fact]
    public void Probe_EveryHolderFound_IgnoresUnreadableProcesses()
    {
        Host.Add(new FakeProcess(1_001) { Refusal = Errno.EACCES });
        Add(FakeAnswer.Acknowledge);
        Assert.Equal(["Answered"], RunProbe("3s"));
        Assert.Equal(0, Assert.Single(Sink.UnaskedPeers).Count);
    }

    /// <summary>A peer that cannot be probed is not called silent, and the reason is reported.</summary>
    [Theory]
    [Rows("fetch socket | EPERM | FetchSocket | of process 1000", "open process | EPERM | OpenProcess | of process 1000", "open proc | ENOENT | OpenProc | null",
        "set option | EPERM | ProbePeer | of process 1000")]
    public void Probe_CallRefused_IsUnaskedWithTheRefusal(string refused, int errno, object operation, string? subject)
    {
        FakeTcp socket = Add(FakeAnswer.Acknowledge);
        Host.Faults.Fail(refused, errno);
        Assert.Equal(["Unasked"], RunProbe("3s"));
        Failure failure = Assert.Single(Sink.UnaskedPeers).Failure;
        Assert.Equal(((Operation)operation, errno, subject), (failure.Operation, failure.Errno, failure.Subject));
        Assert.Empty(socket.OptionsSet);
    }

    [Theory]
    [Rows("false | 0 | null", "false | EPERM | ProbePeer", "true | 0 | OpenProc")]
    public void CheckOfProbe_ProbeOfItsOwnSocket_DecidesWhetherItIsPossible(bool isProcMissing, int errno, string? operation)
    {
        Host.ProbeErrno = errno;
        Host.Faults.Fail("open proc", isProcMissing ? Errno.ENOENT : 0);
        FeatureSupport ability = PeerProbe.Check(Host.Machine, []);
        Assert.Equal((operation is null, operation ?? $"{default(Operation)}"), (ability.IsPossible, $"{ability.Failure.Operation}"));
    }

    [Fact]
    public void Probe_HolderPassesTheSocketOn_ContinuesThroughTheNewHolder()
    {
        FakeTcp socket = Add(new FakePeer(FakeAnswer.Acknowledge, Quiet) { Loses = 2 });
        FakeProcess heir = Host.Add(new FakeProcess(1_001));
        Host.Faults.BeforeFirst("fetch socket", when: () => socket.Peer!.Probed == 1, change: () =>
        {
            Owner.Descriptors.Clear();
            heir.Descriptors[7] = socket.Link;
        });
        Assert.Equal(["Answered"], RunProbe("3s"));
        Assert.Equal(3, socket.Peer!.Probed);
    }

    /// <summary>If the socket gets out of reach before the last probe, its peer is not silent: it may have come back since.</summary>
    [Theory]
    [Values(1, 4)]
    public void Probe_HolderClosesTheSocketBetweenProbes_IsUnasked(int asked)
    {
        FakeTcp socket = Add(FakeAnswer.Nothing);
        Host.Faults.BeforeFirst("fetch socket", Owner.Descriptors.Clear, () => socket.Peer!.Probed == asked);
        Assert.Equal(["Unasked"], RunProbe("3s"));
        Assert.Equal(asked, socket.Peer!.Probed);
    }

    /// <summary>By the time of the next probe the descriptor is a different socket, which must not be touched.</summary>
    [Fact]
    public void Probe_DescriptorReused_DoesNotTouchTheOtherSocket()
    {
        FakeTcp socket = Add(FakeAnswer.Nothing);
        ConnectionList candidates = Host.Candidates();
        FakeTcp other = Add(FakeAnswer.Nothing);
        Host.Faults.BeforeFirst("fetch socket", () => Owner.Descriptors[3] = other.Link, () => socket.Peer!.Probed == 1);
        Assert.Equal(["Unasked"], RunProbe("3s", candidates));
        Assert.Empty(other.OptionsSet);
    }

    [Fact]
    public void Probe_LookupFails_IsUnaskedWithTheErrno()
    {
        FakeTcp socket = Add(FakeAnswer.Nothing);
        ConnectionList candidates = Host.Candidates();
        Host.Faults.Errno = (call, _) => call == "send" && socket.Peer!.Probed > 0 ? Errno.ENOMEM : 0;
        Assert.Equal(["Unasked"], RunProbe("3s", candidates));
        Assert.Equal(Errno.ENOMEM, candidates[0].Errno);
    }
}
