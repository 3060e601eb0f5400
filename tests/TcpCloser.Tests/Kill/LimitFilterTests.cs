namespace TcpCloser.Tests.Kill;

/// <summary><c>--limit</c>: the longest idle connections are closed Worker, and at most N.</summary>
public sealed class LimitFilterTests : KillTestBase
{
    [Theory]
    [Rows("0 | ----", "1 | -x--", "2 | -xx-", "3 | xxx-", "4 | xxxx", "5 | xxxx")]
    public void Limit_AnyNumber_ClosesTheLongestIdleFirst(int limit, string closed) =>
        Assert.Equal(closed, Apply(limit, Method.Destroy, Ages(10, 40, 20, 5)));

    /// <summary>Of the same age, the first one in the kernel's order is closed first; without a usable clock, a connection comes last.</summary>
    [Theory]
    [Rows("1 | -x---", "2 | -x-x-", "3 | -x-xx", "4 | xx-xx")]
    public void Limit_EqualAndUnknownAges_FollowTheOrderOfTheKernel(int limit, string closed) =>
        Assert.Equal(closed, Apply(limit, Method.Destroy, Ages(Connection.UnknownAge, 7, Connection.UnknownAge, 7, 0)));

    [Fact]
    public void Limit_HighestAge_ComesFirst() =>
        Assert.Equal("x--", Apply(1, Method.Destroy, Ages(uint.MaxValue - 1, uint.MaxValue, uint.MaxValue - 2)));

    [Fact]
    public void Limit_SeveralNamespaces_CountsThemTogether()
    {
        ConnectionList candidates = Ages(10, 40);
        candidates.Begin(new FakeNamespace(Host.Kernel, "blue"u8.ToArray()));
        candidates.Add(Connections.Aged(30));
        candidates.Add(Connections.Aged(20));
        Assert.Equal("-xx-", Apply(2, Method.Destroy, candidates));
    }

    /// <summary>An MPTCP connection is closed whole, counts once, and is as idle as its least idle subflow.</summary>
    [Theory]
    [Rows("1 | ---x-", "2 | xx-x-", "3 | xxxx-")]
    public void Limit_Mptcp_IsClosedWholeOrNot(int limit, string closed)
    {
        ConnectionList candidates = Ages(50, 20, 10, 30, 5);
        candidates[0].IsMptcp = candidates[1].IsMptcp = true;
        candidates[0].Inode = candidates[1].Inode = 77;
        Assert.Equal(closed, Apply(limit, Method.Disconnect, candidates));
    }

    /// <summary>A connection that cannot be closed must not take the place of another in every round.</summary>
    [Theory]
    [Rows("Disconnect | 0 | false | xx-", "Destroy | 1 | true | xx-", "Destroy | 0 | false | x--")]
    public void Limit_ConnectionThatCannotBeClosed_DoesNotCount(string method, uint inode, bool isMptcp, string closed)
    {
        ConnectionList candidates = Ages(50, 20, 10);
        (candidates[0].Inode, candidates[0].IsMptcp) = (inode, isMptcp);
        Assert.Equal(closed, Apply(1, Enum.Parse<Method>(method), candidates));
    }

    /// <summary>A process is signalled only if everything that it holds fits, whether it matches or not; then the next one is tried.</summary>
    [Theory]
    [Rows("0 | ----", "1 | ---x", "2 | --x-", "3 | xx--", "4 | xx-x", "5 | xxx-", "6 | xxxx")]
    public void LimitOfKill_OtherConnectionsOfTheProcesses_Count(int limit, string closed)
    {
        FakeProcess second = Host.Add(new FakeProcess(201));
        FakeProcess third = Host.Add(new FakeProcess(202));
        FakeTcp[] candidates = [Add(50, Worker), Add(40, Worker), Add(30, second), Add(20, third)];
        Add(0, Worker);
        Add(0, second);
        Assert.Equal(closed, Apply(limit, Method.Kill, Host.Candidates(candidates), 50, 40, 30, 20));
        Assert.Equal(0, Host.AllLeftOpen);
    }

    /// <summary>A connection ends only with all of its holders; what the others hold counts, too.</summary>
    [Theory]
    [Rows("2 | --x", "3 | x--", "4 | xx-", "5 | xxx")]
    public void LimitOfKill_SharedConnection_CountsEveryHolder(int limit, string closed)
    {
        FakeProcess second = Host.Add(new FakeProcess(201));
        FakeProcess third = Host.Add(new FakeProcess(202));
        FakeTcp own = Add(50, Worker);
        FakeTcp shared = Add(40, Worker, second);
        FakeTcp other = Add(30, third);
        Add(0, Worker);
        Add(0, second);
        Worker.Descriptors[90] = own.Link; // a duplicate
        Assert.Equal(closed, Apply(limit, Method.Kill, Host.Candidates(own, shared, other), 50, 40, 30));
    }

    [Fact]
    public void LimitOfKill_ProcessThatIsNotSignalled_DoesNotCount()
    {
        FakeTcp received = Add(50, Host.Add(new FakeProcess(300) { Uid = 999 }));
        FakeTcp own = Add(40, Worker);
        FakeTcp next = Add(30, Host.Add(new FakeProcess(201)));
        Assert.Equal("xx-", Apply(1, Method.Kill, Host.Candidates(received, own, next), 50, 40, 30));
    }

    /// <summary>The sockets of one process in a large number are not counted again for each of them.</summary>
    [Fact]
    public void LimitOfKill_ProcessWithManyConnections_IsFast()
    {
        FakeTcp[] sockets = [.. Enumerable.Range(0, 2_000).Select(_ => Add(50, Worker))];
        ConnectionList candidates = Host.Candidates(sockets);
        Assert.Equal(new string('-', 2_000), Apply(1_999, Method.Kill, candidates));
        Assert.Equal(new string('x', 2_000), Apply(2_000, Method.Kill, Host.Candidates(sockets)));
    }

    [Theory]
    [Values("Kernel", "Process")]
    public void Limit_StopRequested_SkipsNothing(string reach)
    {
        ConnectionList candidates = Ages(1, 2);
        Run(new LimitFilter(0, Enum.Parse<Reach>(reach)), candidates, stop: static () => true);
        Assert.Empty(Sink.Reported);
    }

    private static ConnectionList Ages(params uint[] ages) => Connections.List(null, [.. ages.Select(Connections.Aged)]);

    /// <summary>Applies the limit. Returns an x for each candidate that is left to be closed, and a dash for each other one.</summary>
    private string Apply(int limit, Method method, ConnectionList candidates, params uint[] ages)
    {
        for (int i = 0; i < ages.Length; i++)
        {
            candidates[i].IdleMs = ages[i];
        }

        Reach reach = method switch { Method.Kill => Reach.Process, Method.Disconnect => Reach.Socket, _ => Reach.Kernel };
        string[] outcomes = Run(new LimitFilter(limit, reach), candidates, rule: new Rule { Method = method, Limit = limit });
        return string.Concat(outcomes.Select(static outcome => outcome switch { "Pending" => 'x', "OverLimit" => '-', _ => '?' }));
    }
}
