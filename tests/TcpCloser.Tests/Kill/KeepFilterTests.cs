namespace TcpCloser.Tests.Kill;

/// <summary><c>--keep</c>: in each group, the least idle connections that match stay open.</summary>
public sealed class KeepFilterTests
{
    private readonly FakeHost _host = new();
    private readonly ConnectionList _leftAlone = new();
    private RecordingSink _sink = new(new ConnectionList());
    private uint _next = 500;

    public KeepFilterTests()
    {
        _host.Add(new FakeProcess(1) { Uid = 0 });
        _host.Add(new FakeProcess(_host.Self) { Parent = 1, Uid = 0 });
        _leftAlone.Begin(_host.Network);
    }

    [Theory]
    [InlineData(1, "xx-x")]
    [InlineData(2, "-x-x")]
    [InlineData(3, "-x--")]
    [InlineData(4, "----")]
    [InlineData(5, "----")]
    public void Keep_OneGroup_KeepsTheLeastIdle(int count, string closed) =>
        Assert.Equal(closed, Apply(count, GroupKey.State, Ages(10, 40, 5, 20)));

    /// <summary>Of the same age, the first one in the kernel's order stays; without a usable clock, a connection counts as least idle.</summary>
    [Theory]
    [InlineData(1, "xx-x")]
    [InlineData(2, "-x-x")]
    [InlineData(3, "-x--")]
    public void Keep_EqualAndUnknownAges_FollowTheOrderOfTheKernel(int count, string closed) =>
        Assert.Equal(closed, Apply(count, GroupKey.State, Ages(7, 8, Connection.UnknownAge, 7)));

    [Fact]
    public void Keep_SeveralGroups_CountEachSeparately()
    {
        ConnectionList candidates = Ages(10, 20, 30, 40, 50);
        candidates[1].Uid = candidates[3].Uid = 33;
        Assert.Equal("--xxx", Apply(1, GroupKey.Uid, candidates));
    }

    /// <summary>Those that stay open anyway count in their group, if they match and are not ending.</summary>
    [Theory]
    [InlineData("Busy", 5u, "xx")]
    [InlineData("Busy", 15u, "-x")]
    [InlineData("NoClock", uint.MaxValue, "xx")]
    [InlineData("Answered", 5u, "xx")]
    [InlineData("Spared", 5u, "xx")]
    [InlineData("TooNew", 5u, "xx")]
    [InlineData("SubflowBusy", 5u, "xx")]
    [InlineData("AddressPresent", 5u, "-x")]
    [InlineData("Excluded", 5u, "-x")]
    [InlineData("WindingDown", 5u, "-x")]
    [InlineData("Vanished", 5u, "-x")]
    [InlineData("Reset", 5u, "-x")]
    public void Keep_ConnectionThatStaysOpen_CountsInItsGroup(string outcome, uint age, string closed)
    {
        Connection connection = Aged(age);
        connection.Outcome = Enum.Parse<Outcome>(outcome);
        _leftAlone.Add(in connection);
        Assert.Equal(closed, Apply(1, GroupKey.Uid, Ages(10, 20)));
    }

    /// <summary>An MPTCP connection counts once, as its least idle subflow does, and stays whole.</summary>
    [Theory]
    [InlineData(1, "xx-x")]
    [InlineData(2, "---x")]
    public void Keep_Mptcp_StaysWholeAndCountsOnce(int count, string closed)
    {
        ConnectionList candidates = Ages(90, 20, 10, 30);
        candidates[0].IsMptcp = candidates[1].IsMptcp = true;
        candidates[0].Inode = candidates[1].Inode = 77;
        Assert.Equal(closed, Apply(count, GroupKey.State, candidates));
    }

    [Fact]
    public void Keep_ByProcess_GroupsByHolder()
    {
        FakeProcess first = _host.Add(new FakeProcess(200));
        FakeProcess second = _host.Add(new FakeProcess(201));
        FakeTcp[] candidates = [Add(first), Add(first), Add(second), Add(second), Add()];
        candidates[4].Dumped = candidates[4].Dumped with { Inode = 0 };
        Assert.Equal("x-x--", Apply(1, GroupKey.Process, _host.Candidates(candidates), 50, 40, 30, 20, 10));
        Assert.Empty(_sink.Problems);
        Assert.Equal(0, _host.AllLeftOpen);
    }

    /// <summary>A connection whose process cannot be found may be one of the least idle of its group.</summary>
    [Fact]
    public void Keep_ByProcessThatCannotBeRead_KeepsAndReportsIt()
    {
        FakeProcess first = _host.Add(new FakeProcess(200));
        FakeTcp hidden = Add(_host.Add(new FakeProcess(201) { Refusal = Errno.EACCES }));
        Assert.Equal("x--", Apply(1, GroupKey.Process, _host.Candidates(Add(first), Add(first), hidden), 50, 40, 30));
        Assert.Equal(Operation.ListDescriptors, Assert.Single(_sink.Problems).Operation);
    }

    /// <summary>If the key is not about processes, it does not matter that they cannot be read.</summary>
    [Fact]
    public void Keep_ByPeer_NeedsNoProcess()
    {
        _host.Add(new FakeProcess(201) { Refusal = Errno.EACCES });
        Assert.Equal("x-", Apply(1, GroupKey.Peer, Ages(50, 40)));
        Assert.Empty(_host.Faults.Calls);
    }

    /// <summary>A signal would also end the connection that its process has to keep, whether it is a candidate or not.</summary>
    [Fact]
    public void KeepOfKill_ProcessHoldsAConnectionToKeep_IsNotSignalled()
    {
        FakeProcess first = _host.Add(new FakeProcess(200));
        FakeProcess second = _host.Add(new FakeProcess(201));
        FakeProcess third = _host.Add(new FakeProcess(202));
        FakeTcp busy = Add(third);
        Connection connection = _host.Candidates(busy)[0];
        (connection.IdleMs, connection.Outcome) = (1, Outcome.Busy);
        _leftAlone.Add(in connection);
        FakeTcp[] candidates = [Add(first), Add(first), Add(second), Add(second, first), Add(third)];
        Assert.Equal("--x--", Apply(2, GroupKey.State, _host.Candidates(candidates), 50, 10, 40, 30, 20, reach: Reach.Process));
    }

    [Fact]
    public void Keep_StopRequested_SkipsNothing()
    {
        ConnectionList candidates = Ages(1, 2);
        _sink = new RecordingSink(candidates);
        new KeepFilter(new KeepQuota(5, GroupKey.State), Reach.Kernel).Run(candidates, Contexts.Of(_host.Machine, _sink, static () => true));
        Assert.Empty(_sink.Reported);
    }

    private static Connection Aged(uint age)
    {
        Connection connection = Connections.Of("10.0.0.1:22 10.0.0.2:80");
        connection.IdleMs = age;
        return connection;
    }

    private static ConnectionList Ages(params uint[] ages) => Connections.List(null, [.. ages.Select(Aged)]);

    private string Apply(int count, GroupKey key, ConnectionList candidates) => Apply(count, key, candidates, Reach.Kernel);

    private string Apply(int count, GroupKey key, ConnectionList candidates, uint a, uint b, uint c, uint d = 0, uint e = 0, Reach reach = Reach.Kernel)
    {
        uint[] ages = [a, b, c, d, e];
        for (int i = 0; i < candidates.Count; i++)
        {
            candidates[i].IdleMs = ages[i];
        }

        return Apply(count, key, candidates, reach);
    }

    /// <summary>Returns an x for each candidate that is left to be closed, and a dash for each other one.</summary>
    private string Apply(int count, GroupKey key, ConnectionList candidates, Reach reach)
    {
        _sink = new RecordingSink(candidates);
        var round = new RoundContext(new Rule(), _host.Machine, _sink) { LeftAlone = _leftAlone };
        new KeepFilter(new KeepQuota(count, key), reach).Run(candidates, round);
        return string.Concat(Enumerable.Range(0, candidates.Count).Select(i => candidates[i].Outcome switch
        {
            Outcome.Pending => 'x',
            Outcome.Kept => '-',
            _ => '?',
        }));
    }

    private FakeTcp Add(params FakeProcess[] holders) =>
        _host.Add(new FakeTcp(new DumpedSocket { Inode = _next++, Cookie = _next, DestinationPort = (ushort)_next, Uid = 1000 }), holders);
}
