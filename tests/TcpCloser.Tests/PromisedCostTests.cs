using System.Runtime.CompilerServices;
using System.Text;
using TcpCloser.Run;

namespace TcpCloser.Tests;

/// <summary>How much the tool does at most: calls, lookups, reads of /proc, and memory.</summary>
public sealed class PromisedCostTests : Kill.StepTestBase
{
    private readonly FakeProcess _worker;

    public PromisedCostTests() => _worker = Host.Add(new FakeProcess(200));

    [Fact]
    public void Connection_InMemory_Takes64Bytes() => Assert.Equal(64, Unsafe.SizeOf<Connection>());

    /// <summary>A process may hold a million connections, and its name is written for each.</summary>
    [Fact]
    public void AddUntrusted_CalledAgain_AllocatesNothing()
    {
        var text = new TextBuffer();
        long before = 0;
        for (int call = 0; call < 2; call++) // the first call includes one-time work of the runtime
        {
            before = GC.GetAllocatedBytesForCurrentThread();
            text.AddUntrusted("tmux: server\n"u8);
        }

        Assert.Equal(before, GC.GetAllocatedBytesForCurrentThread());
        Assert.Equal("\"tmux: server\\x0A\"\"tmux: server\\x0A\"", Encoding.UTF8.GetString(text.Written));
    }

    [Theory]
    [Values("session", "probe", "mptcp", "mptcp, stopped", "disconnect, stopped", "lookup")]
    public void Step_NothingToDo_MakesNoCalls(string step)
    {
        var scene = new ServerScene(Host);
        (FakeTcp[] whole, _) = scene.AddMptcp(scene.Worker);
        var none = new ConnectionList();
        none.Begin(Host.Network);
        switch (step)
        {
            case "session":
                Run(new OwnSessionFilter(), none);
                break;
            case "probe":
                Run(new PeerProbe(), none, rule: Words.Rule("-s", "22", "--probe", "3s"));
                break;
            case "mptcp":
                Run(new MptcpFilter(), Host.Candidates(scene.One));
                break;
            case "mptcp, stopped":
                Run(new MptcpFilter(), Host.Candidates(whole), stop: static () => true);
                break;
            case "disconnect, stopped":
                Assert.Equal(["NotReached"], Run(new SocketDisconnector(), Host.Candidates(scene.One), stop: static () => true));
                Assert.True(scene.One.IsOpen);
                break;
            case "lookup":
                var lookup = new RuleLookup(Words.Rule("-s", "22"), Host.Machine, new RoundReport(none, [], new RoundStatus(new Rule())));
                Assert.Same(Host.Network, Assert.Single(lookup.Find()));
                Assert.Same(RuleContext.Empty, lookup.ContextOf(Host.Network));
                break;
        }

        Assert.Empty(Host.Faults.Calls);
    }

    [Fact]
    public void Disconnect_SeveralHolders_FetchesFromOne()
    {
        Add(_worker, Host.Add(new FakeProcess(201)), Host.Add(new FakeProcess(202)));
        Assert.Equal(["Disconnected"], Run(new SocketDisconnector()));
        Assert.Equal(1, Calls("fetch socket"));
    }

    [Fact]
    public void Disconnect_LastSocketFound_ReadsNoFurther()
    {
        FakeProcess larger = Host.Add(new FakeProcess(150));
        Add(_worker, larger);
        Add(_worker);
        _worker.Descriptors[100] = "/dev/null";
        for (int fd = 100; fd < 110; fd++)
        {
            larger.Descriptors[fd] = "/dev/null";
        }

        Assert.Equal(["Disconnected", "Disconnected"], Run(new SocketDisconnector()));
        Assert.Equal((1, 3), (Calls("open fd"), Calls("read fd")));
    }

    [Fact]
    public void Disconnect_NextRound_SearchesTheLastHoldersFirst()
    {
        FakeProcess holder = Host.Add(new FakeProcess(201));
        var method = new SocketDisconnector();
        RoundContext context = Contexts.Of(Host.Machine, Sink);
        int[] looks = [.. Enumerable.Range(0, 3).Select(round =>
        {
            Add(round == 2 ? _worker : holder);
            ConnectionList candidates = Host.Candidates();
            int before = Calls("open fd");
            method.Run(candidates, context.ReportingTo(new RecordingSink(candidates)));
            return Calls("open fd") - before;
        })];
        Assert.Equal([2, 1, 2], looks);
        Assert.All(Host.Sockets, static socket => Assert.False(socket.IsOpen));
    }

    /// <summary>A lookup takes 4 µs, which is most of what a destroy takes, so right after the dump there is none.</summary>
    [Theory]
    [Values("destroy", "disconnect")]
    public void Close_JudgedWithin100Ms_IsNotLookedUpAgain(string method)
    {
        Add(_worker);
        Rule rule = Words.Rule("-s", "22", "-t", "5s", "--method", method);
        ConnectionList candidates = Host.Candidates();
        candidates.JudgedBy = new IdleRule(rule);
        candidates.JudgedAtMs = Host.Clock.NowMs;
        Host.Clock.Pass(100);
        Run(CloseMethods.Of(rule), candidates);
        Assert.DoesNotContain(Host.Kernel.Sent, static sent => sent.Length < 100 && !Netlink.IsDump(sent)
            && BitConverter.ToUInt16(sent, 4) == Netlink.Socket);
        Assert.False(Host.Sockets[0].IsOpen);
    }

    /// <summary>A connection that is not bound to a device is identified by its endpoints: if it is not found, it is gone.</summary>
    [Fact]
    public void Destroy_UnboundConnectionNotFound_IsVanishedWithoutALookup()
    {
        FakeTcp gone = Add();
        ConnectionList candidates = Host.Candidates();
        gone.End(FakeHost.ByItself);
        Assert.Equal(["Vanished"], Run(new SockDestroyer(leavesUnsupported: false), candidates));
        Assert.Single(Host.Kernel.Sent);
    }

    /// <summary>Gone is final: cookies are never reused. That saves half of the lookups of a kill.</summary>
    [Fact]
    public void Look_SeenGoneBefore_IsNotLookedUpAgain()
    {
        Add().End(FakeHost.ByItself);
        Add();
        using var watch = new ConnectionWatch(Host.Candidates());
        Assert.Equal([Presence.Gone, Presence.There], [watch.Look(0), watch.Look(1)]);
        int sent = Calls("send");
        Assert.Equal([Presence.Gone, Presence.There], [watch.Look(0), watch.Look(1)]);
        Assert.Equal(1, Calls("send") - sent);
    }

    /// <summary>Most threads share the descriptor table of the first one, and a process that refuses refuses for all of them.</summary>
    [Theory]
    [Rows("0 | 2", "EACCES | 0")]
    public void Walk_ThreadsThatShareATable_ReadsItOnce(int refusal, int tables)
    {
        FakeProcess process = Host.Add(new FakeProcess(300)
        {
            SharingThreads = 3,
            Refusal = refusal,
            Descriptors = { [0] = "/dev/null" },
            Threads = { [310] = new() { [5] = Add().Link } },
        });
        Assert.Equal(refusal, Walk(process.Pid, sockets: tables / 2));
        Assert.Equal(tables, Calls("read fd"));
        Assert.Equal(Math.Max(tables, 1), Calls("open fd"));
        Assert.Equal(refusal == 0 ? 1 : 0, Calls("list threads"));
    }

    [Fact]
    public void Walk_EveryThreadHasItsOwnTable_ComparesEachLogarithmicallyOften()
    {
        const int Threads = 1_000;
        FakeProcess process = Host.Add(new FakeProcess(1_000));
        for (int i = 1; i <= Threads; i++)
        {
            process.Threads[1_000 + i] = [];
        }

        Walk(process.Pid, sockets: 0);
        Assert.InRange(Calls("compare fds"), Threads, Threads * 11);
    }

    /// <summary>What -v has read from /proc is not read again, unless the other connections of the processes have to be counted.</summary>
    [Theory]
    [Rows("disconnect | 1", "keepalive | 1", "destroy | 1", "kill | 2")]
    public void DryRun_Verbose_ListsTheProcessesAgainOnlyForKill(string method, int times)
    {
        var scene = new ServerScene(new FakeHost());
        _ = Rounds.Make(scene.Host.Machine, [new RecordingObserver()], stop: null, "-nv", "--include-own-session", "--method", method, "-46", "-s", "22").Run();
        Assert.Equal(times, scene.Host.Faults.Calls.Count(static call => call == "list processes"));
    }

    /// <summary>Where every peer answers there is nothing to show, and so no holder to look for a second time.</summary>
    [Theory]
    [Values(1, 2)]
    public void DryRunProbe_EveryPeerAnswers_SearchesTheProcessesOnce(int peers)
    {
        for (int i = 0; i < peers; i++)
        {
            Host.Add(new FakeTcp(new DumpedSocket { Inode = 100 + (uint)i, Cookie = 1 + (ulong)i, DestinationPort = (ushort)(1 + i), Rto = 4_000 }) { Peer = new FakePeer(FakeAnswer.Acknowledge, quietMs: 60_000) }, _worker);
        }

        var observer = new RecordingObserver();
        ExitStatus status = Rounds.Make(Host.Machine, [observer], stop: null, "-n", "--include-own-session", "--probe", "3s", "-s", "22").Run();
        Assert.Equal((ExitStatus.Done, peers), (status, observer.Counts!.Answered));
        Assert.Equal(1, Calls("list processes"));
    }

    private int Calls(string call) => Host.Faults.Calls.Count(call.Equals);

    /// <returns>Errno of the failure, or 0.</returns>
    private int Walk(int pid, int sockets)
    {
        using IProcessTable table = Host.OpenProcesses();
        using var walk = new DescriptorWalk(table, [pid]);
        Assert.True(walk.NextProcess());
        for (; sockets > 0; sockets--)
        {
            Assert.True(walk.NextSocket());
        }

        Assert.False(walk.NextSocket());
        return walk.Failure.Errno;
    }
}
