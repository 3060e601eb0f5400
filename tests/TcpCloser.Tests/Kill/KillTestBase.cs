namespace TcpCloser.Tests.Kill;

/// <summary>A fake machine with a worker process whose connections are closed by <c>--method kill</c>.</summary>
public abstract class KillTestBase
{
    private protected const uint Owner = 1000;

    private protected FakeHost Host { get; } = new();
    private protected FakeProcess Worker { get; }
    private protected RecordingSink Sink { get; private set; } = new(new ConnectionList());
    private protected uint NextInode { get; private set; } = 500;

    protected KillTestBase()
    {
        Host.Add(new FakeProcess(1) { Uid = 0 });
        Host.Add(new FakeProcess(Host.Self) { Parent = 1, Uid = 0 });
        Worker = Host.Add(new FakeProcess(200));
    }

    private protected FakeTcp Add(params FakeProcess[] holders) =>
        Host.Add(new FakeTcp(new DumpedSocket { Inode = NextInode++, Cookie = NextInode, DestinationPort = (ushort)NextInode, Uid = Owner, LastDataRecv = 60_000 }), holders);

    private protected string[] Kill(ConnectionList? candidates = null, string words = "", Func<bool>? stop = null)
    {
        candidates ??= Host.Candidates();
        Sink = new RecordingSink(candidates);
        Rule rule = Words.Rule(["-s", "22", "--method", "kill", .. words.Split(' ', StringSplitOptions.RemoveEmptyEntries)]);
        candidates.JudgedBy = new IdleRule(rule);
        new ProcessKiller(rule).Run(candidates, Contexts.Of(Host.Machine, Sink, stop));
        Sink.AssertAllReported();
        Assert.Equal(0, Host.AllLeftOpen);
        return [.. Enumerable.Range(0, candidates.Count).Select(i => candidates[i].Outcome.ToString())];
    }
}
