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

    [Theory]
    [Rows("fetch socket | FetchSocket", "open process | OpenProcess")]
    public void Probe_HolderRefuses_IsUnaskedWithTheRefusal(string refused, object operation)
    {
        Add(FakeAnswer.Acknowledge);
        Host.Faults.Errno = (call, _) => call == refused ? Errno.EPERM : 0;
        Assert.Equal(["Unasked"], RunProbe("3s"));
        UnaskedPeers unasked = Assert.Single(Sink.UnaskedPeers);
        Assert.Equal(((Operation)operation, Errno.EPERM, "of process 1000"), (unasked.Failure.Operation, unasked.Failure.Errno, unasked.Failure.Subject));
    }

    [Fact]
    public void Probe_WithoutCapNetAdmin_IsUnaskedAndChangesNothing()
    {
        FakeTcp socket = Add(FakeAnswer.Acknowledge);
        Host.ProbeErrno = Errno.EPERM;
        Assert.Equal(["Unasked"], RunProbe("3s"));
        Assert.Empty(socket.OptionsSet);
        Assert.Equal(Operation.ProbePeer, Assert.Single(Sink.UnaskedPeers).Failure.Operation);
    }

    [Fact]
    public void Probe_WithoutProc_IsUnasked()
    {
        Add(FakeAnswer.Acknowledge);
        Host.Faults.Errno = static (call, _) => call == "open proc" ? Errno.ENOENT : 0;
        Assert.Equal(["Unasked"], RunProbe("3s"));
        Assert.Equal(Operation.OpenProc, Assert.Single(Sink.UnaskedPeers).Failure.Operation);
    }

    [Theory]
    [Rows("false | 0 | null", "false | EPERM | ProbePeer", "true | 0 | OpenProc")]
    public void CheckOfProbe_ProbeOfItsOwnSocket_DecidesWhetherItIsPossible(bool isProcMissing, int errno, string? operation)
    {
        Host.ProbeErrno = errno;
        Host.Faults.Errno = (call, _) => isProcMissing && call == "open proc" ? Errno.ENOENT : 0;
        FeatureSupport ability = PeerProbe.Check(Host.Machine, []);
        Assert.Equal((operation is null, operation ?? $"{default(Operation)}"), (ability.IsPossible, $"{ability.Failure.Operation}"));
    }

    /// <summary>A socket that is passed on to another process is followed.</summary>
    [Fact]
    public void Probe_HolderPassesTheSocketOn_ContinuesThroughTheNewHolder()
    {
        FakeTcp socket = Add(new FakePeer(FakeAnswer.Acknowledge, Quiet) { Loses = 2 });
        FakeProcess heir = Host.Add(new FakeProcess(1_001));
        Before("fetch socket", () => socket.Peer!.Probed == 1, () =>
        {
            Owner.Descriptors.Clear();
            heir.Descriptors[7] = socket.Link;
        });
        Assert.Equal(["Answered"], RunProbe("3s"));
        Assert.Equal(3, socket.Peer!.Probed);
    }

    /// <summary>If the socket gets out of reach before the last probe, its peer is not silent: it may have come back since.</summary>
    [Theory]
    [Rows("4 | Unasked", "1 | Unasked")]
    public void Probe_HolderClosesTheSocketBetweenProbes_IsUnasked(int asked, string outcome)
    {
        FakeTcp socket = Add(FakeAnswer.Nothing);
        Before("fetch socket", () => socket.Peer!.Probed == asked, Owner.Descriptors.Clear);
        Assert.Equal([outcome], RunProbe("3s"));
        Assert.Equal(asked, socket.Peer!.Probed);
    }

    /// <summary>By the time of the next probe the descriptor is a different socket, which must not be touched.</summary>
    [Fact]
    public void Probe_DescriptorReused_DoesNotTouchTheOtherSocket()
    {
        FakeTcp socket = Add(FakeAnswer.Nothing);
        ConnectionList candidates = Host.Candidates();
        FakeTcp other = Add(FakeAnswer.Nothing);
        Before("fetch socket", () => socket.Peer!.Probed == 1, () => Owner.Descriptors[3] = other.Link);
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
