using TcpCloser.Cli;
using TcpCloser.Diag;
using TcpCloser.Interop;
using TcpCloser.Report;
using TcpCloser.Tests.Support;
using Netlink = TcpCloser.Tests.Support.Netlink;

namespace TcpCloser.Tests.Runs;

/// <summary>Several network namespaces: one that cannot be listed is told, and the others go on.</summary>
public sealed class NamespaceListingTests
{
    private static readonly FakeKernel s_good = FakeKernel.Answering(Answer.Of(new DumpedSocket().Message(Netlink.LegacySocket), Netlink.DoneMessage()));

    private readonly List<string> _messages = [];
    private readonly RecordingSink _sink = new(new ConnectionList());
    private int _matched;

    [Fact]
    public void AllAreListed()
    {
        Assert.False(Run(Named("one", s_good), Named("two", s_good)));
        Assert.Equal(2, _matched);
        Assert.Empty(_sink.Incompletes);
    }

    /// <summary>It is not possible here where that is so of all of them.</summary>
    [Theory]
    [InlineData(Errno.EPERM, Errno.EPERM, true)]
    [InlineData(Errno.EPERM, Errno.ENOBUFS, true)]
    [InlineData(Errno.ENOBUFS, Errno.EPERM, true)]
    [InlineData(Errno.ENOBUFS, Errno.ENOBUFS, false)]
    [InlineData(Errno.EPERM, 0, false)]
    [InlineData(0, Errno.EPERM, false)]
    [InlineData(0, Errno.ENOBUFS, false)]
    public void WhatFailsIsTold(int first, int second, bool isNotPossible)
    {
        Assert.Equal(isNotPossible, Run(Named("one", Kernel(first)), Named("two", Kernel(second))));
        Assert.Equal((first == 0 ? 1 : 0) + (second == 0 ? 1 : 0), _matched);
        List<(Operation, int, string?)> expected = [];
        if (first != 0)
        {
            expected.Add((Operation.ListSockets, first, "in netns one"));
        }

        if (second != 0)
        {
            expected.Add((Operation.ListSockets, second, "in netns two"));
        }

        Assert.Equal(expected, _sink.Incompletes);
    }

    [Fact]
    public void WhatTheFailureIsAboutIsKept()
    {
        var kernel = new FakeKernel(static (_, _) => throw new SystemCallException(Operation.ListSockets, Errno.EIO, "that one"));
        Run(Named("one", kernel));
        Assert.Equal((Operation.ListSockets, Errno.EIO, "that one"), Assert.Single(_sink.Incompletes));
    }

    /// <summary>The own one, when no other is looked at, has no name: without it there is nothing.</summary>
    [Fact]
    public void WithoutTheOwnOneThereIsNothing() =>
        Assert.Equal(Errno.EPERM, Assert.Throws<SystemCallException>(() => Run(new FakeNamespace(Kernel(Errno.EPERM)))).Errno);

    [Fact]
    public void AKernelThatDoesNotDecideIsTold()
    {
        DumpedSocket socket = new() { Family = 10, Source = "fd00::1", Destination = "fd00::2", Mark = null };
        var kernel = new FakeKernel((request, _) => request.Length == 72
            ? [Answer.Of(socket.Message(Netlink.Socket), Netlink.DoneMessage())]
            : [Answer.Of(Netlink.ErrorMessage(Errno.EINVAL))]);
        Run(["-6", "-s", "22", "--mark", "7"], Named("one", kernel));
        Assert.Equal((Operation.MatchMarkOrCgroup, Errno.EOPNOTSUPP, "in netns one"), Assert.Single(_sink.Problems));
    }

    [Fact]
    public void TheFilterIsToldToWhoWantsIt()
    {
        Run(["-s", "22", "-v"], Named("one", s_good));
        Assert.StartsWith("filter of ", _messages[0], StringComparison.Ordinal);
        Assert.DoesNotContain(_messages, static message => message.StartsWith("the kernel's table", StringComparison.Ordinal));
    }

    private static FakeKernel Kernel(int errno) => errno == 0 ? s_good : FakeKernel.Answering(Answer.Of(Netlink.ErrorMessage(errno)));

    private static FakeNamespace Named(string name, FakeKernel kernel) => new(kernel, System.Text.Encoding.ASCII.GetBytes(name));

    private bool Run(params NetworkNamespace[] namespaces) => Run(["-s", "22"], namespaces);

    private bool Run(string[] words, params NetworkNamespace[] namespaces)
    {
        (Rule rule, RunOptions run) = Words.Parse(words);
        var collector = new Collector(new IdleRule(rule), keepLeftAlone: false, keepDetails: false);
        collector.Clear();
        var lookup = new RuleLookup(rule, new FakeHost().Machine, new RoundReport(collector.Candidates, [], new RoundStatus()));
        Action<Level, string>? message = run.Verbose ? (_, text) => _messages.Add(text) : null;
        bool isNotPossible = new NamespaceListing(new SelectionDump(Selection.Of(rule), new SocketDump()), lookup, collector, _sink, message).Run(namespaces);
        _matched = (int)collector.Matched;
        return isNotPossible;
    }
}
