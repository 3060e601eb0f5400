using TcpCloser.Cli;
using TcpCloser.Diag;
using TcpCloser.Kill;
using TcpCloser.Tests.Support;

namespace TcpCloser.Tests.Kill;

/// <summary>A machine with a worker whose connections are closed by <c>--method kill</c>.</summary>
public abstract class KillTrial
{
    private protected const uint Owner = 1000;

    private protected FakeHost Host { get; } = new();
    private protected FakeProcess Worker { get; }
    private protected RecordingSink Sink { get; private set; } = new(new ConnectionList());
    private protected uint NextInode { get; private set; } = 500;

    protected KillTrial()
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
        new ProcessKiller(rule, new IdleRule(rule), Host.OpenProcesses).Close(candidates, Sink, stop ?? (static () => false));
        Sink.AssertAllTold();
        Assert.Equal(0, Host.AllLeftOpen);
        return [.. Enumerable.Range(0, candidates.Count).Select(i => candidates[i].Outcome.ToString())];
    }
}
