using TcpCloser.Diag;
using TcpCloser.Interop;
using TcpCloser.Tests.Support;
using Netlink = TcpCloser.Tests.Support.Netlink;

namespace TcpCloser.Tests.Diag;

/// <summary>A long list of ports is looked for in two halves, and what comes of them is one list.</summary>
public sealed class SurveyTests
{
    /// <summary>The even ones up to 6,000: the lower half ends at 3,000.</summary>
    private static readonly string s_ports = string.Join(',', Enumerable.Range(1, 3_000).Select(static i => 2 * i));

    /// <summary>One CPU would walk twice, one after the other: there it stays whole.</summary>
    private static readonly int s_walks = Math.Min(2, Environment.ProcessorCount);

    private static readonly byte[] s_low = new DumpedSocket { Family = 10, Source = "fd00::1", Destination = "fd00::2", SourcePort = 22 }.Message(20);
    private static readonly byte[] s_high = new DumpedSocket { Family = 10, Source = "fd00::1", Destination = "fd00::2", SourcePort = 5432 }.Message(20);
    private static readonly byte[] s_odd = new DumpedSocket { Family = 10, Source = "fd00::1", Destination = "fd00::2", SourcePort = 23 }.Message(20);

    [Fact]
    public void TheLowerHalfsComeFirstAndNoneTwice()
    {
        // A kernel that lists everything to everyone: what is in the other half is not taken here as well.
        var kernel = FakeKernel.Answering(Answer.Of(s_high, s_odd, s_low), Answer.Of(Netlink.DoneMessage()));
        Survey survey = Make("-s", s_ports);

        for (int round = 0; round < 3; round++)
        {
            survey.Clear();
            survey.Look(new FakeNamespace(kernel));
            Assert.Equal([22, 5432], s_walks == 2 ? Ports(survey) : Ports(survey).Order());
            Assert.Equal(2, survey.Census.Matched);
        }

        Assert.Equal(3 * s_walks, kernel.Sent.Count);
        Assert.Equal(s_walks, survey.Walks.Count());
        Assert.Equal(0, kernel.LeftOpen);
    }

    [Theory]
    [InlineData(3_000)]
    [InlineData(6_000)]
    public void WhereOneHalfFailsNothingOfTheNamespaceIsTaken(int failing)
    {
        var kernel = new FakeKernel((request, _) => Highest(request) == failing || s_walks == 1
            ? [Answer.Of(s_low, s_high), Answer.Failing(Errno.ENOMEM)]
            : [Answer.Of(s_low, s_high), Answer.Of(Netlink.DoneMessage())]);
        var good = FakeKernel.Answering(Answer.Of(s_low, Netlink.DoneMessage()));
        Survey survey = Make("-s", s_ports);
        survey.Clear();

        survey.Look(new FakeNamespace(good));
        var e = Assert.Throws<SystemCallException>(() => survey.Look(new FakeNamespace(kernel)));

        Assert.Equal(Errno.ENOMEM, e.Errno);
        Assert.Equal([22], Ports(survey)); // of the namespace before
        Assert.Equal(1, survey.Census.Matched);
        Assert.Equal(0, kernel.LeftOpen);
    }

    [Fact]
    public void WithRoomForOneSocketTheHalvesComeOneAfterTheOther()
    {
        var kernel = FakeKernel.Answering(Answer.Of(s_high, s_low), Answer.Of(Netlink.DoneMessage()));
        Survey survey = Make("-s", s_ports);
        survey.Clear();

        survey.Look(new PoorNamespace(kernel));

        Assert.Equal([22, 5432], s_walks == 2 ? Ports(survey) : Ports(survey).Order());
        Assert.Equal(2, survey.Census.Matched);
    }

    /// <summary>A walk more would cost and not save.</summary>
    [Theory]
    [InlineData("-s", "22,23,80-90")]
    [InlineData("-s", "1-65535")]
    [InlineData("-d", "22")]
    public void OtherSelectionsAreOneWalk(params string[] words) => Assert.Single(Make(words).Walks);

    [Fact]
    public void ALongListOfDestinationPortsIsHalvedToo() => Assert.Equal(s_walks, Make("-s", "22", "-d", s_ports).Walks.Count());

    [Theory]
    [InlineData("--mark", "1")]
    [InlineData("--cgroup", "/")]
    [InlineData("--interface", "lo")]
    [InlineData("--src", "fd00::/8")]
    [InlineData("--not-dst", "fd00::/8")]
    public void WithAnotherConditionItStaysWhole(string option, string value) => Assert.Single(Make("-s", s_ports, option, value).Walks);

    /// <summary>Each half would list everything.</summary>
    [Fact]
    public void WhatHasNoRoomInTheFilterHalvedEitherStaysWhole() =>
        Assert.Single(Make("-s", string.Join(',', Enumerable.Range(1, 6_001).Select(static i => 2 * i))).Walks);

    private static Survey Make(params string[] words)
    {
        Selection selection = Words.Select(["-6", .. words]);
        return new Survey(selection, new IdleRule(Words.Parse(["-6", .. words])), new SocketDump(), keepLeftAlone: true, keepDetails: true);
    }

    private static IEnumerable<int> Ports(Survey survey)
    {
        ConnectionList doomed = survey.Census.Doomed;
        Assert.Equal(doomed.Count, doomed.Details.Count);
        for (int i = 0; i < doomed.Count; i++)
        {
            yield return doomed[i].SourcePort;
        }
    }

    /// <summary>One in which there are descriptors for one socket at a time; a second never closes before it was asked for.</summary>
    private sealed class PoorNamespace(FakeKernel kernel) : NetworkNamespace
    {
        private readonly Barrier _both = new(s_walks);
        private int _opened;

        public override INetlinkSocket OpenSocket()
        {
            int opened = Interlocked.Increment(ref _opened);
            if (opened <= s_walks)
            {
                _both.SignalAndWait();
            }

            return opened == 2 && s_walks == 2 ? throw new SystemCallException("opening a NETLINK_SOCK_DIAG socket", Errno.EMFILE) : kernel.Open();
        }
    }

    /// <summary>The port of the first op, which turns away all above the half.</summary>
    private static int Highest(byte[] request) => BitConverter.ToUInt16(request, 82);
}
