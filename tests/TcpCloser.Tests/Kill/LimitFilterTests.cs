namespace TcpCloser.Tests.Kill;

/// <summary><c>--limit</c>: the longest idle connections are closed first, and at most N.</summary>
public sealed class LimitFilterTests
{
    private readonly FakeHost _host = new();
    private RecordingSink _sink = new(new ConnectionList());
    private uint _next = 500;

    public LimitFilterTests()
    {
        _host.Add(new FakeProcess(1) { Uid = 0 });
        _host.Add(new FakeProcess(_host.Self) { Parent = 1, Uid = 0 });
    }

    [Theory]
    [InlineData(0, "----")]
    [InlineData(1, "-x--")]
    [InlineData(2, "-xx-")]
    [InlineData(3, "xxx-")]
    [InlineData(4, "xxxx")]
    [InlineData(5, "xxxx")]
    public void Limit_AnyNumber_ClosesTheLongestIdleFirst(int limit, string closed) =>
        Assert.Equal(closed, Apply(limit, Method.Destroy, Ages(10, 40, 20, 5)));

    /// <summary>Of the same age, the first one in the kernel's order is closed first; without a usable clock, a connection comes last.</summary>
    [Theory]
    [InlineData(1, "-x---")]
    [InlineData(2, "-x-x-")]
    [InlineData(3, "-x-xx")]
    [InlineData(4, "xx-xx")]
    public void Limit_EqualAndUnknownAges_FollowTheOrderOfTheKernel(int limit, string closed) =>
        Assert.Equal(closed, Apply(limit, Method.Destroy, Ages(Connection.UnknownAge, 7, Connection.UnknownAge, 7, 0)));

    [Fact]
    public void Limit_HighestAge_ComesFirst() =>
        Assert.Equal("x--", Apply(1, Method.Destroy, Ages(uint.MaxValue - 1, uint.MaxValue, uint.MaxValue - 2)));

    /// <summary>It is one limit for all network namespaces.</summary>
    [Fact]
    public void Limit_SeveralNamespaces_CountsThemTogether()
    {
        ConnectionList candidates = Ages(10, 40);
        candidates.Begin(new FakeNamespace(_host.Kernel, "blue"u8.ToArray()));
        candidates.Add(Aged(30));
        candidates.Add(Aged(20));
        Assert.Equal("-xx-", Apply(2, Method.Destroy, candidates));
    }

    /// <summary>An MPTCP connection is closed whole, counts once, and is as idle as its least idle subflow.</summary>
    [Theory]
    [InlineData(1, "---x-")]
    [InlineData(2, "xx-x-")]
    [InlineData(3, "xxxx-")]
    public void Limit_Mptcp_IsClosedWholeOrNot(int limit, string closed)
    {
        ConnectionList candidates = Ages(50, 20, 10, 30, 5);
        candidates[0].IsMptcp = candidates[1].IsMptcp = true;
        candidates[0].Inode = candidates[1].Inode = 77;
        Assert.Equal(closed, Apply(limit, Method.Disconnect, candidates));
    }

    /// <summary>A connection that cannot be closed must not take the place of another in every round.</summary>
    [Fact]
    public void Limit_ConnectionsThatCannotBeClosed_DoNotCount()
    {
        ConnectionList candidates = Ages(50, 20, 10);
        candidates[0].Inode = 0;
        Assert.Equal("xx-", Apply(1, Method.Disconnect, candidates));

        candidates = Ages(50, 20, 10);
        candidates[0].IsMptcp = true;
        Assert.Equal("xx-", Apply(1, Method.Destroy, candidates));

        candidates = Ages(50, 20, 10);
        candidates[0].Inode = 0;
        Assert.Equal("x--", Apply(1, Method.Destroy, candidates));
    }

    /// <summary>A process is signalled only if everything that it holds fits, whether it matches or not; then the next one is tried.</summary>
    [Theory]
    [InlineData(0, "----")]
    [InlineData(1, "---x")]
    [InlineData(2, "--x-")]
    [InlineData(3, "xx--")]
    [InlineData(4, "xx-x")]
    [InlineData(5, "xxx-")]
    [InlineData(6, "xxxx")]
    public void LimitOfKill_OtherConnectionsOfTheProcesses_Count(int limit, string closed)
    {
        FakeProcess first = _host.Add(new FakeProcess(200));
        FakeProcess second = _host.Add(new FakeProcess(201));
        FakeProcess third = _host.Add(new FakeProcess(202));
        FakeTcp[] candidates = [Add(50, first), Add(40, first), Add(30, second), Add(20, third)];
        Add(0, first);
        Add(0, second);
        Assert.Equal(closed, Apply(limit, Method.Kill, _host.Candidates(candidates), 50, 40, 30, 20));
        Assert.Equal(0, _host.AllLeftOpen);
    }

    /// <summary>A connection ends only with all of its holders; what the others hold counts, too.</summary>
    [Theory]
    [InlineData(2, "--x")]
    [InlineData(3, "x--")]
    [InlineData(4, "xx-")]
    [InlineData(5, "xxx")]
    public void LimitOfKill_SharedConnection_CountsEveryHolder(int limit, string closed)
    {
        FakeProcess first = _host.Add(new FakeProcess(200));
        FakeProcess second = _host.Add(new FakeProcess(201));
        FakeProcess third = _host.Add(new FakeProcess(202));
        FakeTcp own = Add(50, first);
        FakeTcp shared = Add(40, first, second);
        FakeTcp other = Add(30, third);
        Add(0, first);
        Add(0, second);
        first.Descriptors[90] = own.Link; // a duplicate
        Assert.Equal(closed, Apply(limit, Method.Kill, _host.Candidates(own, shared, other), 50, 40, 30));
    }

    [Fact]
    public void LimitOfKill_ProcessThatIsNotSignalled_DoesNotCount()
    {
        FakeTcp received = Add(50, _host.Add(new FakeProcess(300) { Uid = 999 }));
        FakeTcp own = Add(40, _host.Add(new FakeProcess(200)));
        FakeTcp next = Add(30, _host.Add(new FakeProcess(201)));
        Assert.Equal("xx-", Apply(1, Method.Kill, _host.Candidates(received, own, next), 50, 40, 30));
    }

    /// <summary>The sockets of one process in a large number are not counted again for each of them.</summary>
    [Fact]
    public void LimitOfKill_ProcessWithManyConnections_IsFast()
    {
        FakeProcess first = _host.Add(new FakeProcess(200));
        FakeTcp[] sockets = [.. Enumerable.Range(0, 2_000).Select(_ => Add(50, first))];
        ConnectionList candidates = _host.Candidates(sockets);
        Assert.Equal(new string('-', 2_000), Apply(1_999, Method.Kill, candidates));
        Assert.Equal(new string('x', 2_000), Apply(2_000, Method.Kill, _host.Candidates(sockets)));
    }

    [Theory]
    [InlineData("Kernel")]
    [InlineData("Process")]
    public void Limit_StopRequested_SkipsNothing(string reach)
    {
        ConnectionList candidates = Ages(1, 2);
        _sink = new RecordingSink(candidates);
        new LimitFilter(0, Enum.Parse<Reach>(reach)).Run(candidates, Contexts.Of(_host.Machine, _sink, static () => true));
        Assert.Empty(_sink.Reported);
    }

    private static Reach ReachOf(Method method) => method switch
    {
        Method.Kill => Reach.Process,
        Method.Disconnect => Reach.Socket,
        _ => Reach.Kernel,
    };

    private static Connection Aged(uint age)
    {
        Connection connection = Connections.Of("10.0.0.1:22 10.0.0.2:80");
        connection.IdleMs = age;
        return connection;
    }

    private static ConnectionList Ages(params uint[] ages) => Connections.List(null, [.. ages.Select(Aged)]);

    /// <summary>Applies the limit. Returns an x for each candidate that is left to be closed, and a dash for each other one.</summary>
    private string Apply(int limit, Method method, ConnectionList candidates, params uint[] ages)
    {
        for (int i = 0; i < ages.Length; i++)
        {
            candidates[i].IdleMs = ages[i];
        }

        _sink = new RecordingSink(candidates);
        var rule = new Rule { Method = method, Limit = limit };
        new LimitFilter(limit, ReachOf(method)).Run(candidates, Contexts.Of(_host.Machine, _sink, rule: rule));
        return string.Concat(Enumerable.Range(0, candidates.Count).Select(i => candidates[i].Outcome switch
        {
            Outcome.Pending => 'x',
            Outcome.OverLimit => '-',
            _ => '?',
        }));
    }

    private FakeTcp Add(uint age, params FakeProcess[] holders) => _host.Add(
        new FakeTcp(new DumpedSocket { Inode = _next++, Cookie = _next, DestinationPort = (ushort)_next, Uid = 1000, LastDataRecv = age }), holders);
}
