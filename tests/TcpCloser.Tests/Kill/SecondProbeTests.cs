using TcpCloser.Diag;
using TcpCloser.Interop;
using TcpCloser.Kill;
using TcpCloser.Proc;
using TcpCloser.Tests.Support;

namespace TcpCloser.Tests.Kill;

/// <summary>A peer that left the first probe unanswered, and what happens before the second one. The time between them is real.</summary>
public sealed class SecondProbeTests
{
    /// <summary>Time for two probes that are a second apart, and for a third one at its very end.</summary>
    private static readonly TimeSpan s_time = TimeSpan.FromMilliseconds(2_100);

    private readonly FakeHost _host = new();
    private readonly FakeProcess _owner;
    private readonly FakeTcp _socket;
    private readonly FakeTcp _other;
    private readonly ConnectionList _candidates;
    private readonly RecordingSink _sink;

    public SecondProbeTests()
    {
        _owner = _host.Add(new FakeProcess(1_000));
        _socket = _host.Add(Silent(1), _owner);
        _other = Silent(2);
        _candidates = _host.Candidates();
        _sink = new RecordingSink(_candidates);
    }

    public static TheoryData<string, string> Changes => new()
    {
        { "nothing", "Idle" },
        { "it is heard", "Answered" },
        { "it would answer", "Answered" },
        { "data is outstanding", "Unproved" },
        { "data is unsent", "Unproved" },
        { "it is reset", "Reset" },
        { "the application's keepalive would not bear it", "Unproved" },
        { "the application asks itself", "Unproved" },
        { "the descriptor is another socket", "Unproved" },
        { "the descriptor is closed", "Unproved" },
        { "its process may not be fetched from", "Failed" },
        { "its facts cannot be read", "Failed" },
    };

    /// <summary>It happens after the last look, right before the socket is fetched for the second probe.</summary>
    [Theory]
    [MemberData(nameof(Changes))]
    public void WhatHappensRightBefore(string change, string outcome)
    {
        bool hasChanged = false;
        _host.Faults.Before = (call, _) =>
        {
            if (call == "fetch socket" && _socket.Peer!.Probed == 1 && !hasChanged)
            {
                hasChanged = true;
                Change(change);
            }
        };
        Ask();

        Assert.True(hasChanged);
        Assert.Equal(outcome, $"{_candidates[0].Outcome}");
        int probes = change is "nothing" or "it would answer" ? 2 : 1;
        Assert.InRange(_socket.Peer!.Probed, probes, change is "nothing" ? 3 : probes);
        Assert.Empty(_other.OptionsSet);
        if (!change.StartsWith("the application", StringComparison.Ordinal))
        {
            Assert.Equal(_socket.OptionsBefore, _socket.Options);
        }
    }

    /// <summary>It happens while it is waited: then it is seen at the next look.</summary>
    [Theory]
    [InlineData("it is heard", "Answered")]
    [InlineData("data is outstanding", "Unproved")]
    [InlineData("it is reset", "Reset")]
    [InlineData("it ends and its descriptor is closed", "Vanished")]
    [InlineData("it ends and its descriptor is another socket", "Vanished")]
    public void WhatHappensMeanwhile(string change, string outcome)
    {
        bool hasChanged = false;
        Ask(() =>
        {
            if (_socket.Peer!.Probed == 1 && !hasChanged)
            {
                hasChanged = true;
                Change(change);
            }

            return false;
        });
        Assert.Equal(outcome, $"{_candidates[0].Outcome}");
        Assert.Equal(1, _socket.Peer!.Probed);
        Assert.Empty(_other.OptionsSet);
    }

    /// <summary>Subflows of MPTCP have no options of their own, so they are not asked.</summary>
    [Fact]
    public void ASubflowIsNotAsked()
    {
        _candidates[0].IsMptcp = true;
        Ask();
        Assert.Equal(Outcome.Unproved, _candidates[0].Outcome);
        Assert.Empty(_socket.OptionsSet);
    }

    private void Change(string change)
    {
        switch (change)
        {
            case "nothing":
                break;
            case "it is heard":
                _socket.Peer!.Hear();
                break;
            case "it would answer":
                _socket.Peer!.Answer = FakeAnswer.Acknowledge;
                break;
            case "data is outstanding":
                _socket.Dumped = _socket.Dumped with { Unacked = 1 };
                break;
            case "data is unsent":
                _socket.Dumped = _socket.Dumped with { NotSent = 1 };
                break;
            case "it is reset":
                _socket.End("its peer");
                break;
            case "the application's keepalive would not bear it":
                _socket.Options[(Socket.SOL_SOCKET, Socket.SO_KEEPALIVE)] = 1;
                _socket.Options[(Tcp.IPPROTO_TCP, Tcp.TCP_KEEPCNT)] = 2;
                break;
            case "the application asks itself":
                _socket.Options[(Socket.SOL_SOCKET, Socket.SO_KEEPALIVE)] = 1;
                _socket.Options[(Tcp.IPPROTO_TCP, Tcp.TCP_KEEPIDLE)] = 5;
                break;
            case "the descriptor is another socket":
                _owner.Descriptors[3] = _host.Add(_other).Link;
                break;
            case "the descriptor is closed":
                _owner.Descriptors.Clear();
                break;
            case "it ends and its descriptor is closed":
                _socket.End("its peer");
                _owner.Descriptors.Clear();
                break;
            case "it ends and its descriptor is another socket":
                _socket.End("its peer");
                _other.End("its peer");
                _owner.Descriptors[3] = _host.Add(_other).Link;
                break;
            case "its process may not be fetched from":
                _host.Faults.Errno = static (call, _) => call == "fetch socket" ? Errno.EPERM : 0;
                break;
            case "its facts cannot be read":
                _host.Faults.Errno = static (call, _) => call == "read tcp_info" ? Errno.EIO : 0;
                break;
            default:
                throw new InvalidOperationException(change);
        }
    }

    private void Ask(Func<bool>? stop = null)
    {
        new PeerProbe(s_time, _host.OpenProcesses, new SearchOrder()).Apply(_candidates, _sink, stop ?? (static () => false));
        Assert.Equal(0, _host.AllLeftOpen);
    }

    private static FakeTcp Silent(int number)
    {
        var socket = new FakeTcp(new DumpedSocket { DestinationPort = (ushort)number, Cookie = (ulong)number, Inode = (uint)number, Rto = 4_000 })
        {
            Peer = new FakePeer(FakeAnswer.Nothing, quietMs: 10_000),
        };
        socket.OptionsBefore = new(socket.Options);
        return socket;
    }
}
