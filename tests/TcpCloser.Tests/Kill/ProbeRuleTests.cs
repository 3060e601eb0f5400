using TcpCloser.Diag;
using TcpCloser.Interop;
using TcpCloser.Kill;
using TcpCloser.Tests.Support;

namespace TcpCloser.Tests.Kill;

/// <summary>Whom <c>--probe</c> asks, how often, and when an answer that did not come is silence.</summary>
public sealed class ProbeRuleTests
{
    private static readonly DumpedSocket s_quiet = new()
    {
        LastDataRecv = 60_000,
        LastAckRecv = 60_000,
        Unacked = 0,
        NotSent = 0,
        Rto = 204_000,
        Probes = 0,
    };

    private static readonly KeepaliveOptions s_off = new() { IsOn = false, Idle = 7_200, Count = 9 };
    private static readonly KeepaliveOptions s_on = s_off with { IsOn = true };

    [Theory]
    [InlineData(TcpState.Established, null)]
    [InlineData(TcpState.CloseWait, null)]
    [InlineData(TcpState.FinWait2, null)]
    [InlineData(TcpState.SynSent, "Unproved")]
    [InlineData(TcpState.SynRecv, "Unproved")]
    [InlineData(TcpState.FinWait1, "Unproved")]
    [InlineData(TcpState.LastAck, "Unproved")]
    [InlineData(TcpState.Closing, "Unproved")]
    [InlineData(TcpState.TimeWait, "Unproved")]
    [InlineData(TcpState.Listen, "Unproved")]
    public void ByState(byte state, string? verdict) => Assert.Equal(verdict, Verdict(s_quiet with { State = state }));

    [Theory]
    [InlineData(10_000, 10_000, null)]
    [InlineData(9_999, 60_000, "Answered")]
    [InlineData(60_000, 9_999, "Answered")]
    public void WhoWasHeardFromWithinTheTimeHasAnswered(uint data, uint ack, string? verdict) =>
        Assert.Equal(verdict, Verdict(s_quiet with { LastDataRecv = data, LastAckRecv = ack }));

    [Theory]
    [InlineData(1, 0)]
    [InlineData(0, 1)]
    public void WhatIsOutstandingIsTheKernelsToSendAgain(uint unacked, uint notSent) =>
        Assert.Equal("Unproved", Verdict(s_quiet with { Unacked = unacked, NotSent = notSent }));

    /// <summary>Four timeouts of the path have to fit into the time.</summary>
    [Theory]
    [InlineData(2_500_000, null)]
    [InlineData(2_501_000, "Unproved")]
    public void ASlowPathTakesLonger(uint rto, string? verdict) => Assert.Equal(verdict, Verdict(s_quiet with { Rto = rto }));

    /// <summary>A kernel that tells too little of the socket proves nothing.</summary>
    [Theory]
    [InlineData(0)]
    [InlineData(56)]
    public void WithoutClocks(int length) => Assert.Equal("Unproved", Verdict(s_quiet with { InfoLength = length }));

    [Theory]
    [InlineData(9, 0, 0, 7)]
    [InlineData(9, 0, 3, 4)]
    [InlineData(9, 0, 7, 0)]
    [InlineData(9, 0, 200, 0)]
    [InlineData(3, 0, 0, 1)]
    [InlineData(2, 0, 0, 0)]
    [InlineData(1, 0, 0, 0)]
    [InlineData(9, 1, 0, 0)]
    public void WhatTheApplicationsKeepaliveBears(int count, int userTimeout, byte unanswered, int allowed) => Assert.Equal(
        allowed, ProbeRule.Allowed(s_on with { Count = count, UserTimeoutMs = userTimeout }, Facts(s_quiet with { Probes = unanswered })));

    [Fact]
    public void WithoutKeepaliveThereIsNoLimit() =>
        Assert.Equal(int.MaxValue, ProbeRule.Allowed(s_off with { Count = 1, UserTimeoutMs = 1 }, Facts(s_quiet with { Probes = 200 })));

    [Theory]
    [InlineData(80, 10_000, false)]
    [InlineData(71, 10_000, false)]
    [InlineData(70, 10_000, true)]
    [InlineData(61, 0, false)]
    [InlineData(60, 0, true)] // its first probe has left by now
    [InlineData(5, 0, true)]
    public void TheApplicationsOwnNextProbe(int idle, uint within, bool asks)
    {
        Assert.Equal(asks, ProbeRule.AsksItself(s_on with { Idle = idle }, Facts(s_quiet), within));
        Assert.False(ProbeRule.AsksItself(s_off with { Idle = idle }, Facts(s_quiet), within));
    }

    [Theory]
    [InlineData(int.MaxValue, 1_000)]
    [InlineData(10, 1_000)]
    [InlineData(4, 2_500)]
    [InlineData(1, 10_000)]
    public void FewProbesAreSpreadOverTheTime(int allowed, uint interval) => Assert.Equal(interval, Rule(10).IntervalMs(allowed));

    [Theory]
    [InlineData(10, 1_000, 10)]
    [InlineData(10, 2_500, 4)]
    [InlineData(10, 10_000, 1)]
    [InlineData(3, 1_000, 3)]
    [InlineData(300, 1_000, 10)] // more than these are no accident
    public void SilenceTakesAsManyProbesAsFitIntoTheTime(int seconds, uint interval, int wanted)
    {
        ProbeRule rule = Rule(seconds);
        var peer = new ProbedPeer { IntervalMs = interval, FirstAskedAt = 1, Asked = wanted, Sent = wanted };
        Assert.True(rule.Enough(in peer));
        peer.Sent = wanted - 1;
        Assert.Null(rule.Enough(in peer));
        peer.NextAt = long.MaxValue; // the application's keepalive bears no more
        Assert.False(rule.Enough(in peer));
        peer.NextAt = 1;
        peer.Asked = 2 * wanted; // they do not leave
        Assert.False(rule.Enough(in peer));
    }

    [Fact]
    public void TheLastProbeHasItsTimeToo()
    {
        var peer = new ProbedPeer { FirstAskedAt = 1_000, LastAskedAt = 10_000 };
        Assert.Equal(12_500, Rule(10).EndOf(in peer));
        peer.LastAskedAt = 8_000;
        Assert.Equal(11_000, Rule(10).EndOf(in peer));
        peer.FirstAskedAt = 0;
        Assert.Equal(long.MaxValue, Rule(10).EndOf(in peer));
    }

    private static ProbeRule Rule(int seconds) => new(TimeSpan.FromSeconds(seconds));

    private static SocketFacts Facts(DumpedSocket socket) => new(socket.Info());

    private static string? Verdict(DumpedSocket socket)
    {
        SocketFacts facts = Facts(socket);
        return Rule(10).Verdict(in facts)?.ToString();
    }
}
