using TcpCloser.Run;

namespace TcpCloser.Tests.Run;

/// <summary>Several network namespaces: one that cannot be listed is reported, and the others are listed.</summary>
public sealed class NamespaceListingTests
{
    private static readonly FakeKernel s_good = FakeKernel.Answering(Answer.Of(new DumpedSocket().Message(Netlink.LegacySocket), Netlink.DoneMessage()));
    private readonly List<string> _messages = [];
    private readonly RecordingSink _sink = new(new ConnectionList());
    private int _matched;

    /// <summary>The run is not possible only if no namespace can be listed, and one of them for lack of privilege.</summary>
    [Theory]
    [Rows("0 | 0 | false", "EPERM | EPERM | true", "EPERM | ENOBUFS | true", "ENOBUFS | EPERM | true", "ENOBUFS | ENOBUFS | false",
        "EPERM | 0 | false", "0 | EPERM | false", "0 | ENOBUFS | false")]
    public void Listing_SomeNamespacesFail_ReportsEachAndListsTheRest(int first, int second, bool isNotPossible)
    {
        Assert.Equal(isNotPossible, Run(Named("one", Kernel(first)), Named("two", Kernel(second))));
        (Operation, int Errno, string?)[] all = [(Operation.ListSockets, first, "in netns one"), (Operation.ListSockets, second, "in netns two")];
        Assert.Equal(all.Where(static failure => failure.Errno != 0), _sink.Incompletes);
        Assert.Equal(2 - _sink.Incompletes.Count, _matched);
    }

    /// <summary>An unprivileged user may see hundreds of namespaces that cannot be entered, and did not ask for each.</summary>
    [Fact]
    public void AllNamespaces_SeveralFailAlike_IsOneProblemWithTheirNumber()
    {
        FakeKernel forbidden = Kernel(Errno.EPERM);
        Run(["-s", "22", "--all-netns"], Named("one", forbidden), Named("two", s_good), Named("three", forbidden), Named("four", Kernel(Errno.ENOBUFS)), Named("five", forbidden));
        Assert.Equal(1, _matched);
        Assert.Equal(
            [(Operation.ListSockets, Errno.EPERM, "in netns one and 2 others"), (Operation.ListSockets, Errno.ENOBUFS, "in netns four")],
            _sink.Incompletes);
    }

    /// <summary>The round ends, because everything opened afterwards would be in the wrong namespace.</summary>
    [Fact]
    public void Listing_ThreadCannotReturnToItsNamespace_Throws()
    {
        var kernel = new FakeKernel(static (_, _) => throw new SystemCallException(new Failure(Operation.ReturnToNamespace, Errno.ENOMEM)));
        Assert.Equal(Operation.ReturnToNamespace, Assert.Throws<SystemCallException>(() => Run(Named("one", kernel), Named("two", s_good))).Failure.Operation);
    }

    [Fact]
    public void Listing_FailureHasASubject_KeepsTheSubject()
    {
        var kernel = new FakeKernel(static (_, _) => throw new SystemCallException(new Failure(Operation.ListSockets, Errno.EIO, "that one")));
        Run(Named("one", kernel));
        Assert.Equal((Operation.ListSockets, Errno.EIO, "that one"), Assert.Single(_sink.Incompletes));
    }

    /// <summary>If only the program's own namespace is listed, it has no name, and its failure is that of the round.</summary>
    [Fact]
    public void Listing_OnlyTheOwnNamespaceAndFails_Throws() =>
        Assert.Equal(Errno.EPERM, Assert.Throws<SystemCallException>(() => Run(new FakeNamespace(Kernel(Errno.EPERM)))).Failure.Errno);

    [Fact]
    public void Listing_KernelCannotMatchMarks_ReportsIt()
    {
        DumpedSocket socket = new() { Family = 10, Source = "fd00::1", Destination = "fd00::2", Mark = null };
        var kernel = new FakeKernel((request, _) => request.Length == 72
            ? [Answer.Of(socket.Message(Netlink.Socket), Netlink.DoneMessage())]
            : [Answer.Of(Netlink.ErrorMessage(Errno.EINVAL))]);
        Run(["-6", "-s", "22", "--mark", "7"], Named("one", kernel));
        Assert.Equal((Operation.MatchMarkOrCgroup, Errno.EOPNOTSUPP, "in netns one"), Assert.Single(_sink.Problems));
    }

    [Fact]
    public void Listing_Verbose_LogsTheFilter()
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
        var collector = new Collector(new IdleRule(rule), keepLeftAlone: false, DetailLevel.Connection);
        collector.Clear();
        var lookup = new RuleLookup(rule, new FakeHost().Machine, new RoundReport(collector.Candidates, [], new RoundStatus(new Rule())));
        Action<Level, string>? message = run.Verbose ? (_, text) => _messages.Add(text) : null;
        var dump = new SelectionDump(Selection.Of(rule), new SocketDump());
        bool isNotPossible = new NamespaceListing(dump, lookup, collector, _sink) { Message = message, AreNamed = !rule.AllNetns }.Run(namespaces);
        _matched = (int)collector.Matched;
        return isNotPossible;
    }
}
