using TcpCloser.Diag;
using TcpCloser.Interop;
using TcpCloser.Kill;
using TcpCloser.Tests.Support;
using Netlink = TcpCloser.Tests.Support.Netlink;

namespace TcpCloser.Tests.Kill;

/// <summary>SOCK_DESTROY against a kernel that refuses, forgets and loses.</summary>
public sealed class SockDestroyerTests
{
    private RecordingSink _sink = new(new ConnectionList());

    [Fact]
    public void TheMessage()
    {
        var kernel = new FakeKernel(static (_, _) => []);
        Connection connection = Connections.Of("fe80::1:22 fe80::2:51422");
        connection.Interface = 3;

        Close(Connections.List(kernel, connection));

        Field.AssertAre(
            kernel.Sent[0],
            new("nlmsg_len", "48 00 00 00"),
            new("nlmsg_type SOCK_DESTROY", "15 00"),
            new("nlmsg_flags REQUEST: no ACK, no DUMP", "01 00"),
            new("nlmsg_seq", "01 00 00 00"),
            new("nlmsg_pid", "00 00 00 00"),
            new("sdiag_family AF_INET6", "0a"),
            new("sdiag_protocol IPPROTO_TCP", "06"),
            new("idiag_ext", "00"),
            new("pad", "00"),
            new("idiag_states all", "ff ff ff ff"),
            new("idiag_sport", "00 16"),
            new("idiag_dport", "c8 de"),
            new("idiag_src", "fe800000 00000000 00000000 00000001"),
            new("idiag_dst", "fe800000 00000000 00000000 00000002"),
            new("idiag_if", "03 00 00 00"),
            new("idiag_cookie[0] low", "88 77 66 55"),
            new("idiag_cookie[1] high", "44 33 22 11"));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(256)]
    [InlineData(257)]
    [InlineData(1_000)]
    [InlineData(5_000)]
    public void EveryConnectionIsDestroyedOnceUnderItsCookieAtMost256ASend(int count)
    {
        var kernel = new FakeKernel(static (_, _) => []);
        ConnectionList candidates = Connections.Many(count, kernel);

        Close(candidates);

        List<ulong> cookies = [];
        foreach (byte[] sent in kernel.Sent)
        {
            List<DestroyRequest> requests = DestroyRequest.In(sent);
            Assert.InRange(requests.Count, 1, 256);
            Assert.Equal(requests.Count, requests.Select(static request => request.Sequence).Distinct().Count());
            cookies.AddRange(requests.Select(static request => request.Cookie));
        }

        Assert.Equal(Enumerable.Range(0, count).Select(i => 0xa000_0000_b000_0000 + (ulong)i), cookies.Order());
        AllAre(candidates, Outcome.Destroyed);
        Assert.Empty(_sink.Problems);
    }

    [Fact]
    public void EachFailureIsThatOfItsConnection()
    {
        var kernel = new FakeKernel(static (sent, _) => DestroyRequest.In(sent)
            .Where(static request => request.DestinationPort % 3 != 0)
            .Select(static request => Answer.Of(Netlink.ErrorMessage(request.DestinationPort % 3 == 1 ? Errno.ENOENT : Errno.EBUSY, request.Sequence))));
        ConnectionList candidates = Connections.Many(700, kernel);

        Close(candidates);

        for (int i = 0; i < candidates.Count; i++)
        {
            int rest = candidates[i].DestinationPort % 3;
            Assert.Equal(rest == 0 ? Outcome.Destroyed : rest == 1 ? Outcome.Vanished : Outcome.Failed, candidates[i].Outcome);
            Assert.Equal(rest == 0 ? 0 : rest == 1 ? Errno.ENOENT : Errno.EBUSY, candidates[i].Errno);
        }

        Assert.False(_sink.IsNotPossible);
    }

    [Fact]
    public void AllVanishedIsNoProblem()
    {
        FakeKernel kernel = Refusing(Errno.ENOENT);
        ConnectionList candidates = Connections.Many(300, kernel);
        Close(candidates);
        AllAre(candidates, Outcome.Vanished);
        Assert.Empty(_sink.Problems);
    }

    [Theory]
    [InlineData(Errno.EPERM, null)]
    [InlineData(Errno.EOPNOTSUPP, "CONFIG_INET_DIAG_DESTROY")]
    [InlineData(Errno.EINVAL, "CONFIG_INET_DIAG_DESTROY")]
    public void WhatRefusesAllAlikeIsTriedOnceAndToldOnce(int errno, string? remedy)
    {
        FakeKernel kernel = Refusing(errno);
        ConnectionList candidates = Connections.Many(5_000, kernel);

        Close(candidates);

        Assert.Single(kernel.Sent);
        AllAre(candidates, Outcome.Failed);
        for (int i = 0; i < candidates.Count; i++)
        {
            Assert.Equal(errno, candidates[i].Errno);
        }

        // It is no use to tell root to be root.
        remedy ??= Capability.IsEffective(Capability.CAP_NET_ADMIN) ? "user namespace" : "CAP_NET_ADMIN";
        Assert.Contains(remedy, Assert.Single(_sink.Descriptions), StringComparison.Ordinal);
        Assert.True(_sink.IsNotPossible);
    }

    /// <summary>An unprivileged caller hears ENOENT for what is gone and EPERM for the rest: the one does not hide the other.</summary>
    [Fact]
    public void MissingPrivilegeShowsAmongVanishedOnes()
    {
        var kernel = new FakeKernel(static (sent, _) => DestroyRequest.In(sent).Select(static request =>
            Answer.Of(Netlink.ErrorMessage(request.DestinationPort == 5 ? Errno.EPERM : Errno.ENOENT, request.Sequence))));
        ConnectionList candidates = Connections.Many(20, kernel);

        Close(candidates);

        Assert.Equal(Outcome.Failed, candidates[4].Outcome);
        Assert.Equal(Outcome.Vanished, candidates[5].Outcome);
        Assert.True(_sink.IsNotPossible);
    }

    [Fact]
    public void TimeWaitThatCannotBeDestroyedProvesNothing()
    {
        var kernel = Refusing(Errno.EOPNOTSUPP);
        ConnectionList candidates = Connections.Many(600, kernel, TcpState.TimeWait);

        Close(candidates);

        Assert.Equal(3, kernel.Sent.Count);
        AllAre(candidates, Outcome.Failed);
        Assert.False(_sink.IsNotPossible);
        Assert.Empty(_sink.Problems);
    }

    [Theory]
    [InlineData(Errno.ENOBUFS, false)]
    [InlineData(Errno.EPERM, true)]
    public void ASendThatFailsDestroysNothing(int errno, bool isNotPossible)
    {
        var kernel = new FakeKernel(static (_, _) => []) { SendErrno = _ => errno };
        ConnectionList candidates = Connections.Many(400, kernel);

        Close(candidates);

        AllAre(candidates, Outcome.Failed);
        Assert.Equal(errno, candidates[0].Errno);
        Assert.Equal(errno == Errno.EPERM ? 1 : 2, kernel.Sent.Count);
        Assert.Equal(isNotPossible ? 1 : 0, _sink.Problems.Count);
        Assert.Equal(isNotPossible, _sink.IsNotPossible);
    }

    /// <summary>A filter may fail the call with any errno; then the kernel has not said that a connection is gone.</summary>
    [Fact]
    public void ASendThatFailsWithEnoentIsNoAnswer()
    {
        ConnectionList candidates = Connections.Many(1, new FakeKernel(static (_, _) => []) { SendErrno = static _ => Errno.ENOENT });
        Close(candidates);
        AllAre(candidates, Outcome.Failed);
    }

    [Fact]
    public void AStopEndsItBetweenBatches()
    {
        var kernel = new FakeKernel(static (_, _) => []);
        ConnectionList candidates = Connections.Many(511, kernel);

        Run(candidates, () => kernel.Sent.Count > 0);

        int reached = kernel.Sent.Sum(static sent => DestroyRequest.In(sent).Count);
        Assert.Equal(256, reached);
        var outcomes = Enumerable.Range(0, candidates.Count).CountBy(i => candidates[i].Outcome).ToDictionary();
        Assert.Equal(reached, outcomes[Outcome.Destroyed]);
        Assert.Equal(candidates.Count - reached, outcomes[Outcome.NotReached]);
        _sink.AssertAllTold();
        Assert.Empty(_sink.Problems);
    }

    /// <summary>The number of a descriptor that is closed twice may be another's by then.</summary>
    [Theory]
    [InlineData(1)]
    [InlineData(5_000)]
    public void EverySocketIsClosedOnce(int count)
    {
        var kernel = new FakeKernel(static (_, _) => []);
        Close(Connections.Many(count, kernel));
        Assert.Equal(0, kernel.LeftOpen);
    }

    private static FakeKernel Refusing(int errno) => new((sent, _) =>
        DestroyRequest.In(sent).Select(request => Answer.Of(Netlink.ErrorMessage(errno, request.Sequence))));

    private void Close(ConnectionList candidates)
    {
        Run(candidates, static () => false);
        _sink.AssertAllTold();
    }

    private void Run(ConnectionList candidates, Func<bool> stopRequested)
    {
        _sink = new RecordingSink(candidates);
        new SockDestroyer(new SocketDump(), FakeNamespace.Silent, leavesUnsupported: false).Close(candidates, _sink, stopRequested);
    }

    private static void AllAre(ConnectionList candidates, Outcome outcome)
    {
        for (int i = 0; i < candidates.Count; i++)
        {
            Assert.Equal(outcome, candidates[i].Outcome);
        }
    }
}
