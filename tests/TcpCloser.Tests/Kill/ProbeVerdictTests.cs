using TcpCloser.Diag;
using TcpCloser.Interop;
using TcpCloser.Kill;
using TcpCloser.Proc;
using TcpCloser.Tests.Support;

namespace TcpCloser.Tests.Kill;

/// <summary>What becomes of peers that cannot be asked, or whose connection ends while they are.</summary>
public sealed class ProbeVerdictTests
{
    private static readonly TimeSpan s_time = TimeSpan.FromMilliseconds(60);

    private readonly FakeHost _host = new();
    private readonly FakeProcess _owner;
    private RecordingSink _sink = new(new ConnectionList());

    public ProbeVerdictTests() => _owner = _host.Add(new FakeProcess(1_000));

    /// <summary>Who holds it may be among those that could not be looked into; what nobody holds is no matter of those.</summary>
    [Fact]
    public void WhereSomeCannotBeLookedInto()
    {
        FakeProcess hidden = _host.Add(new FakeProcess(1_001) { Refusal = Errno.EACCES });
        Add(FakeAnswer.Nothing, hidden);
        FakeTcp orphan = Add(FakeAnswer.Nothing);
        orphan.Dumped = orphan.Dumped with { Inode = 0 };
        ConnectionList candidates = _host.Candidates();
        Assert.Equal(["Failed", "Unproved"], Ask(candidates));
        Assert.Equal([Errno.EACCES, 0], [candidates[0].Errno, candidates[1].Errno]);
        Assert.Equal([(Operation.ListDescriptors, Errno.EACCES, "of process 1001")], _sink.Problems);
    }

    /// <summary>Where every holder was found, the others do not matter.</summary>
    [Fact]
    public void OthersThatCannotBeLookedIntoDoNotMatter()
    {
        _host.Add(new FakeProcess(1_001) { Refusal = Errno.EACCES });
        Add(FakeAnswer.Acknowledge, _owner);
        Assert.Equal(["Answered"], Ask(_host.Candidates()));
        Assert.Empty(_sink.Problems);
    }

    /// <summary>Where something could be asked, what could not is no matter of what is possible here.</summary>
    [Fact]
    public void SomeHoldersAreHidden()
    {
        Add(FakeAnswer.Acknowledge, _owner);
        Add(FakeAnswer.Nothing, _host.Add(new FakeProcess(1_001) { Refusal = Errno.EACCES }));
        Assert.Equal(["Answered", "Failed"], Ask(_host.Candidates()));
        Assert.Empty(_sink.Problems);
        Assert.Equal([(Operation.ListDescriptors, Errno.EACCES, "of process 1001")], _sink.Incompletes);
    }

    /// <summary>A connection that ended before it was asked about has vanished, and no option is set.</summary>
    [Fact]
    public void OneThatEndedBefore()
    {
        FakeTcp socket = Add(FakeAnswer.Nothing, _owner);
        ConnectionList candidates = _host.Candidates();
        socket.End(FakeHost.ByItself);
        Assert.Equal(["Vanished"], Ask(candidates));
        Assert.Empty(socket.OptionsSet);
    }

    /// <summary>One that is gone some time after it was asked: was it the answer that ended it? Then its owner has the socket still, closed.</summary>
    [Theory]
    [InlineData("closed", "Reset")]
    [InlineData("let go of", "Vanished")]
    [InlineData("replaced", "Vanished")]
    [InlineData("not fetched", "Vanished")]
    public void OneThatEndsAfterTheProbe(string how, string outcome)
    {
        FakeTcp socket = Add(FakeAnswer.Nothing, _owner);
        ConnectionList candidates = _host.Candidates();
        FakeTcp other = Add(FakeAnswer.Nothing);
        _host.Faults.Before = (call, _) =>
        {
            // The first look after the probe is that of the lookup.
            if (call == "send" && socket.Peer!.Probed > 0 && socket.IsOpen)
            {
                socket.End(FakeHost.ByItself);
                if (how is "let go of")
                {
                    _owner.Descriptors.Clear();
                }
                else if (how is "replaced")
                {
                    _owner.Descriptors[3] = other.Link;
                }
            }
        };
        _host.Faults.Errno = (call, _) => how == "not fetched" && call == "fetch socket" && !socket.IsOpen ? Errno.EPERM : 0;
        Assert.Equal([outcome], Ask(candidates));
    }

    [Fact]
    public void OneThatCannotBeLookedAtAfterTheProbe()
    {
        FakeTcp socket = Add(FakeAnswer.Nothing, _owner);
        ConnectionList candidates = _host.Candidates();
        _host.Faults.Errno = (call, _) => call == "send" && socket.Peer!.Probed > 0 ? Errno.ENOMEM : 0;
        Assert.Equal(["Failed"], Ask(candidates));
        Assert.Equal(Errno.ENOMEM, candidates[0].Errno);
    }

    /// <summary>What its owner sends meanwhile, the kernel alone may send again: no answer to a probe is no silence then.</summary>
    [Fact]
    public void DataThatIsSentMeanwhile()
    {
        FakeTcp socket = Add(FakeAnswer.Nothing, _owner);
        ConnectionList candidates = _host.Candidates();
        _host.Faults.Before = (call, _) =>
            socket.Dumped = call == "send" && socket.Peer!.Probed > 0 ? socket.Dumped with { NotSent = 5 } : socket.Dumped;
        Assert.Equal(["Unproved"], Ask(candidates));
    }

    /// <summary>The descriptor of MPTCP is that of the whole connection, whose subflows are not asked one by one.</summary>
    [Fact]
    public void ASubflowOfMptcp()
    {
        ConnectionList candidates = _host.Candidates(Add(FakeAnswer.Nothing, _owner));
        candidates[0].IsMptcp = true;
        Assert.Equal(["Unproved"], Ask(candidates));
        Assert.DoesNotContain("fetch socket", _host.Faults.Calls);
    }

    [Fact]
    public void WithoutCandidatesNothingIsLookedAt()
    {
        var empty = new ConnectionList();
        empty.Begin(_host.Network);
        Assert.Empty(Ask(empty));
        Assert.Empty(_host.Faults.Calls);
    }

    private FakeTcp Add(FakeAnswer answer, params FakeProcess[] holders)
    {
        int number = _host.Sockets.Count;
        var dumped = new DumpedSocket { DestinationPort = (ushort)(1_000 + number), Cookie = 0x5000 + (ulong)number, Inode = 100 + (uint)number, Rto = 4_000 };
        var socket = new FakeTcp(dumped) { Peer = new FakePeer(answer, 10_000) };
        socket.OptionsBefore = new(socket.Options);
        return _host.Add(socket, holders);
    }

    private string[] Ask(ConnectionList candidates)
    {
        _sink = new RecordingSink(candidates);
        new PeerProbe(s_time, _host.OpenProcesses, new SearchOrder()).Apply(candidates, _sink, static () => false);
        Assert.Equal(0, _host.AllLeftOpen);
        Assert.All(_host.Sockets, static socket => Assert.Equal(socket.OptionsBefore, socket.Options));
        return [.. Enumerable.Range(0, candidates.Count).Select(i => candidates[i].Outcome.ToString())];
    }
}
