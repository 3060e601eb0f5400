namespace TcpCloser.Tests.Kill;

/// <summary><c>--keep</c>: in each group, the least idle connections that match stay open.</summary>
public sealed class KeepFilterTests : KillTestBase
{
    private readonly ConnectionList _leftAlone = new();

    private RecordingSink _sink = new(new ConnectionList());

    public KeepFilterTests() => _leftAlone.Begin(Host.Network);

    [Theory]
    [Rows("1 | xx-x", "2 | -x-x", "3 | -x--", "4 | ----", "5 | ----")]
    public void Keep_OneGroup_KeepsTheLeastIdle(int count, string closed) =>
        Assert.Equal(closed, Apply(count, GroupKey.State, Ages(10, 40, 5, 20)));

    /// <summary>Of the same age, the first one in the kernel's order stays; without a usable clock, a connection counts as least idle.</summary>
    [Theory]
    [Rows("1 | xx-x", "2 | -x-x", "3 | -x--")]
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
    [Rows("Busy | 5 | xx", "Busy | 15 | -x", "NoClock | 4294967295 | xx", "Answered | 5 | xx", "Spared | 5 | xx", "TooNew | 5 | xx",
        "SubflowBusy | 5 | xx", "AddressPresent | 5 | -x", "Excluded | 5 | -x", "WindingDown | 5 | -x", "Vanished | 5 | -x", "Reset | 5 | -x")]
    public void Keep_ConnectionThatStaysOpen_CountsInItsGroup(string outcome, uint age, string closed)
    {
        Connection connection = Connections.Aged(age) with { Outcome = Enum.Parse<Outcome>(outcome) };
        _leftAlone.Add(in connection);
        Assert.Equal(closed, Apply(1, GroupKey.Uid, Ages(10, 20)));
    }

    /// <summary>An MPTCP connection counts once, as its least idle subflow does, and stays whole.</summary>
    [Theory]
    [Rows("1 | xx-x", "2 | ---x")]
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
        FakeProcess second = Host.Add(new FakeProcess(201));
        FakeTcp[] candidates = [Add(Worker), Add(Worker), Add(second), Add(second), Add()];
        candidates[4].Dumped = candidates[4].Dumped with { Inode = 0 };
        Assert.Equal("x-x--", Apply(1, GroupKey.Process, Host.Candidates(candidates), [50, 40, 30, 20, 10]));
        Assert.Empty(_sink.Problems);
    }

    /// <summary>A connection whose process cannot be found may be one of the least idle of its group.</summary>
    [Fact]
    public void Keep_ByProcessThatCannotBeRead_KeepsAndReportsIt()
    {
        FakeTcp hidden = Add(Host.Add(new FakeProcess(201) { Refusal = Errno.EACCES }));
        Assert.Equal("x--", Apply(1, GroupKey.Process, Host.Candidates(Add(Worker), Add(Worker), hidden), [50, 40, 30]));
        Assert.Equal(Operation.ListDescriptors, Assert.Single(_sink.Problems).Operation);
    }

    /// <summary>If the key is not about processes, it does not matter that they cannot be read.</summary>
    [Fact]
    public void Keep_ByPeer_NeedsNoProcess()
    {
        Host.Add(new FakeProcess(201) { Refusal = Errno.EACCES });
        Assert.Equal("x-", Apply(1, GroupKey.Peer, Ages(50, 40)));
        Assert.Empty(Host.Faults.Calls);
    }

    /// <summary>A signal would also end the connection that its process has to keep, whether it is a candidate or not.</summary>
    [Fact]
    public void KeepOfKill_ProcessHoldsAConnectionToKeep_IsNotSignalled()
    {
        FakeProcess second = Host.Add(new FakeProcess(201));
        FakeProcess third = Host.Add(new FakeProcess(202));
        FakeTcp busy = Add(third);
        Connection connection = Host.Candidates(busy)[0];
        (connection.IdleMs, connection.Outcome) = (1, Outcome.Busy);
        _leftAlone.Add(in connection);
        FakeTcp[] candidates = [Add(Worker), Add(Worker), Add(second), Add(second, Worker), Add(third)];
        Assert.Equal("--x--", Apply(2, GroupKey.State, Host.Candidates(candidates), [50, 10, 40, 30, 20], Reach.Process));
    }

    [Fact]
    public void Keep_StopRequested_SkipsNothing() =>
        Assert.Equal("xx", Apply(5, GroupKey.State, Ages(1, 2), stop: static () => true));

    private static ConnectionList Ages(params uint[] ages) => Connections.List(null, [.. ages.Select(Connections.Aged)]);

    private string Apply(int count, GroupKey key, ConnectionList candidates, uint[] ages, Reach reach = Reach.Kernel)
    {
        for (int i = 0; i < ages.Length; i++)
        {
            candidates[i].IdleMs = ages[i];
        }

        return Apply(count, key, candidates, reach);
    }

    /// <summary>Returns an x for each candidate that is left to be closed, and a dash for each other one.</summary>
    private string Apply(int count, GroupKey key, ConnectionList candidates, Reach reach = Reach.Kernel, Func<bool>? stop = null)
    {
        _sink = new RecordingSink(candidates);
        var round = new RoundContext(new Rule(), Host.Machine, _sink) { LeftAlone = _leftAlone, Stop = new FakeStop(stop) };
        new KeepFilter(new KeepQuota(count, key), reach).Run(candidates, round);
        Assert.Equal(0, Host.AllLeftOpen);
        return string.Concat(candidates.Outcomes().Select(static outcome => outcome switch { "Pending" => 'x', "Kept" => '-', _ => '?' }));
    }
}
