using TcpCloser.Diag;
using TcpCloser.Interop;
using TcpCloser.Kill;
using TcpCloser.Proc;
using TcpCloser.Tests.Support;

namespace TcpCloser.Tests.Kill;

/// <summary>Asking peers, on a machine of which any call can fail. Times are short, because they are real.</summary>
public sealed class PeerProbeTests
{
    private const uint Quiet = 10_000;
    private static readonly TimeSpan s_time = TimeSpan.FromMilliseconds(60);

    private readonly FakeHost _host = new();
    private readonly FakeProcess _owner;
    private RecordingSink _sink = new(new ConnectionList());

    public PeerProbeTests() => _owner = _host.Add(new FakeProcess(1_000));

    [Theory]
    [InlineData("Acknowledge", "Answered")]
    [InlineData("Nothing", "Idle")]
    [InlineData("Reset", "Reset")]
    public void TheVerdict(string answer, string outcome)
    {
        FakeTcp socket = Add(Enum.Parse<FakeAnswer>(answer));
        Assert.Equal([outcome], Ask());
        Assert.Equal(1, socket.Peer!.Probed);
        AssertPutBack(socket);
    }

    /// <summary>Keepalive goes on last and off first, so that the kernel never counts by a mixture.</summary>
    [Fact]
    public void TheOptionsAndTheirOrder()
    {
        FakeTcp socket = Add(FakeAnswer.Acknowledge, (Tcp.TCP_USER_TIMEOUT, 5_000));
        Ask();
        Assert.Equal(
            [
                (Tcp.TCP_KEEPCNT, 127), (Tcp.TCP_USER_TIMEOUT, 0), (Socket.SO_KEEPALIVE, 1), (Tcp.TCP_KEEPIDLE, 1),
                (Socket.SO_KEEPALIVE, 0), (Tcp.TCP_KEEPCNT, 9), (Tcp.TCP_USER_TIMEOUT, 5_000), (Tcp.TCP_KEEPIDLE, 7_200),
            ],
            socket.OptionsSet);
    }

    [Fact]
    public void WhereKeepaliveIsOnItStaysOn()
    {
        FakeTcp socket = Add(FakeAnswer.Acknowledge, (Socket.SO_KEEPALIVE, 1));
        Assert.Equal(["Answered"], Ask());
        Assert.Equal([(Tcp.TCP_KEEPCNT, 127), (Tcp.TCP_KEEPIDLE, 1), (Tcp.TCP_KEEPCNT, 9), (Tcp.TCP_KEEPIDLE, 7_200)], socket.OptionsSet);
    }

    /// <summary>Where KEEPIDLE is 1 already, it is set all the same: that is what starts the timer.</summary>
    [Fact]
    public void TheTimerIsStartedInAnyCase()
    {
        FakeTcp socket = Add(FakeAnswer.Acknowledge, (Tcp.TCP_KEEPIDLE, 1));
        Assert.Equal(["Answered"], Ask());
        Assert.Equal(1, socket.Options[(Tcp.IPPROTO_TCP, Tcp.TCP_KEEPIDLE)]);
    }

    [Fact]
    public void NothingIsSetWhereItMayNotBeAsked()
    {
        FakeTcp[] sockets =
        [
            Add(FakeAnswer.Nothing, (Socket.SO_KEEPALIVE, 1), (Tcp.TCP_USER_TIMEOUT, 1)),
            Add(FakeAnswer.Nothing, (Socket.SO_KEEPALIVE, 1), (Tcp.TCP_KEEPCNT, 2)),
            Add(FakeAnswer.Nothing, (Socket.SO_KEEPALIVE, 1), (Tcp.TCP_KEEPIDLE, 10)),
        ];
        Assert.Equal(["Unproved", "Unproved", "Unproved"], Ask());
        Assert.All(sockets, static socket => Assert.Empty(socket.OptionsSet));
    }

    /// <summary>What the application sets while it is asked is its own.</summary>
    [Fact]
    public void WhatTheApplicationSetsMeanwhileStays()
    {
        FakeTcp socket = Add(FakeAnswer.Acknowledge);
        _host.Faults.Before = (call, _) =>
        {
            if (call == "read tcp_info" && socket.Peer!.Probed == 1)
            {
                socket.Options[(Tcp.IPPROTO_TCP, Tcp.TCP_KEEPCNT)] = 4;
            }
        };
        Ask();
        Assert.Equal(4, socket.Options[(Tcp.IPPROTO_TCP, Tcp.TCP_KEEPCNT)]);
        Assert.Equal(7_200, socket.Options[(Tcp.IPPROTO_TCP, Tcp.TCP_KEEPIDLE)]);
    }

    /// <summary>A descriptor that is another socket by now, or closed, is not touched; nor is what nobody holds.</summary>
    [Fact]
    public void WhoCannotBeFoundIsNotProved()
    {
        FakeTcp moved = Add(FakeAnswer.Nothing);
        FakeTcp closed = Add(FakeAnswer.Nothing);
        FakeTcp orphan = Add(FakeAnswer.Nothing, holder: null);
        ConnectionList candidates = _host.Candidates();
        FakeTcp other = Add(FakeAnswer.Nothing);
        _host.Faults.Before = (call, _) =>
        {
            if (call == "fetch socket")
            {
                _owner.Descriptors[3] = other.Link;
                _owner.Descriptors.Remove(4);
            }
        };
        Assert.Equal(["Unproved", "Unproved", "Unproved"], Ask(candidates));
        Assert.All([moved, closed, orphan, other], static socket => Assert.Empty(socket.OptionsSet));
    }

    /// <summary>Where one process may be fetched from and another may not, it is no matter of what is possible here.</summary>
    [Fact]
    public void SomeRefuse()
    {
        FakeProcess other = _host.Add(new FakeProcess(1_001));
        Add(FakeAnswer.Acknowledge);
        FakeTcp socket = Add(FakeAnswer.Acknowledge, other);
        _host.Faults.Errno = (call, _) => call == "fetch socket" && _host.Faults.Calls.Count(static made => made == "fetch socket") == 2 ? Errno.EPERM : 0;

        Assert.Equal(["Answered", "Failed"], Ask());

        Assert.Equal([(Operation.FetchSocket, Errno.EPERM, "of process 1001")], _sink.Incompletes);
        Assert.Empty(_sink.Problems);
        Assert.Empty(socket.OptionsSet);
    }

    [Fact]
    public void AllRefuse()
    {
        Add(FakeAnswer.Acknowledge);
        _host.Faults.Errno = static (call, _) => call == "fetch socket" ? Errno.EPERM : 0;
        Assert.Equal(["Failed"], Ask());
        Assert.Equal([(Operation.FetchSocket, Errno.EPERM, "of process 1000")], _sink.Problems);
        Assert.True(_sink.IsNotPossible);
    }

    /// <summary>More than a batch holds, and more than one process has.</summary>
    [Fact]
    public void ManyAreAskedBatchByBatch()
    {
        FakeProcess other = _host.Add(new FakeProcess(1_001));
        for (int i = 0; i < 600; i++)
        {
            Add(i % 7 == 0 ? FakeAnswer.Nothing : FakeAnswer.Acknowledge, i % 2 == 0 ? _owner : other);
        }

        string[] outcomes = Ask();

        Assert.Equal(Enumerable.Range(0, 600).Select(static i => i % 7 == 0 ? "Idle" : "Answered"), outcomes);
        Assert.All(_host.Sockets, AssertPutBack);
    }

    /// <summary>A signal is obeyed once the options are back; who was not reached stays to be closed, untold.</summary>
    [Fact]
    public void AStopInTheMiddle()
    {
        FakeTcp[] sockets = [.. Enumerable.Range(0, 600).Select(_ => Add(FakeAnswer.Nothing))];
        Assert.All(Ask(_host.Candidates(), stop: () => sockets.Any(static socket => socket.Peer!.Probed > 0)), static outcome => Assert.Equal("Idle", outcome));
        Assert.InRange(sockets.Count(static socket => socket.Peer!.Probed > 0), 1, 64); // one batch
        Assert.All(sockets, AssertPutBack);
    }

    /// <summary>Whichever call fails, and however: no option is left behind, no handle open, and no living peer is called silent.</summary>
    [Theory]
    [InlineData(Errno.ENOMEM)]
    [InlineData(Errno.EPERM)]
    [InlineData(Errno.EBADF)]
    public void AnyCallMayFail(int errno)
    {
        int calls = 0;
        for (int failing = -1; failing < calls; failing++)
        {
            var tests = new PeerProbeTests();
            FakeTcp[] sockets =
            [
                tests.Add(FakeAnswer.Acknowledge), tests.Add(FakeAnswer.Nothing),
                tests.Add(FakeAnswer.Acknowledge, (Socket.SO_KEEPALIVE, 1)), tests.Add(FakeAnswer.Acknowledge, (Tcp.TCP_USER_TIMEOUT, 3)),
            ];
            ConnectionList candidates = tests._host.Candidates();
            tests._host.Faults.Errno = (_, number) => number == failing ? errno : 0;
            try
            {
                string[] outcomes = tests.Ask(candidates);
                Assert.NotEqual("Idle", outcomes[0]);
                Assert.NotEqual("Idle", outcomes[2]);
                Assert.NotEqual("Idle", outcomes[3]);
            }
            catch (SystemCallException e)
            {
                Assert.Equal(errno, e.Errno);
            }

            Assert.All(sockets, AssertPutBack);
            Assert.Equal(0, tests._host.AllLeftOpen);
            calls = Math.Max(calls, tests._host.Faults.Calls.Count);
        }

        Assert.InRange(calls, 60, int.MaxValue);
    }

    /// <summary>A probe that cannot be seen to leave is no question, and no answer to it is no silence.</summary>
    [Fact]
    public void WhatCannotBeSeenToLeaveProvesNothing()
    {
        FakeTcp socket = Add(FakeAnswer.Nothing);
        int looks = 0;
        _host.Faults.Errno = (call, _) => call == "read tcp_info" && looks++ % 2 == 1 ? Errno.EIO : 0;
        Assert.Equal(["Unproved"], Ask());
        AssertPutBack(socket);
    }

    private static void AssertPutBack(FakeTcp socket) => Assert.Equal(socket.OptionsBefore, socket.Options);

    private FakeTcp Add(FakeAnswer answer, params (int Option, int Value)[] options) => Add(answer, _owner, options);

    private FakeTcp Add(FakeAnswer answer, FakeProcess? holder, params (int Option, int Value)[] options)
    {
        int number = _host.Sockets.Count;
        var dumped = new DumpedSocket
        {
            DestinationPort = (ushort)(1_000 + number),
            Cookie = 0x5000 + (ulong)number,
            Inode = holder is null ? 0 : 100 + (uint)number,
            Rto = 4_000,
        };
        var socket = new FakeTcp(dumped) { Peer = new FakePeer(answer, Quiet) };
        foreach ((int option, int value) in options)
        {
            socket.Options[(option == Socket.SO_KEEPALIVE ? Socket.SOL_SOCKET : Tcp.IPPROTO_TCP, option)] = value;
        }

        socket.OptionsBefore = new(socket.Options);
        return holder is null ? _host.Add(socket) : _host.Add(socket, holder);
    }

    private string[] Ask() => Ask(_host.Candidates());

    private string[] Ask(ConnectionList candidates, Func<bool>? stop = null)
    {
        _sink = new RecordingSink(candidates);
        new PeerProbe(s_time, _host.OpenProcesses, new SearchOrder()).Apply(candidates, _sink, stop ?? (static () => false));
        Assert.Equal(0, _host.AllLeftOpen);
        return [.. Enumerable.Range(0, candidates.Count).Select(i => candidates[i].Outcome.ToString())];
    }
}
