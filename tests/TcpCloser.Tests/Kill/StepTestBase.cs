namespace TcpCloser.Tests.Kill;

/// <summary>A fake machine whose connections go through one step of a round.</summary>
public abstract class StepTestBase
{
    private protected FakeHost Host { get; } = new();
    private protected RecordingSink Sink { get; private set; } = new(new ConnectionList());
    private protected uint NextInode { get; private set; } = 500;

    /// <summary>Adds a socket with its own inode, cookie and port, which these processes hold.</summary>
    private protected FakeTcp Add(params FakeProcess[] holders) => Add(idleMs: 60_000, holders);

    private protected FakeTcp Add(uint idleMs, params FakeProcess[] holders) => Host.Add(
        new FakeTcp(new DumpedSocket { Inode = NextInode++, Cookie = NextInode, DestinationPort = (ushort)NextInode, Uid = 1000, LastDataRecv = idleMs }), holders);

    /// <summary>Runs the step on these connections, or on all. Returns their outcomes.</summary>
    private protected string[] Run(IStep step, ConnectionList? candidates = null, Func<bool>? stop = null, Rule? rule = null)
    {
        candidates ??= Host.Candidates();
        Sink = new RecordingSink(candidates);
        step.Run(candidates, Contexts.Of(Host.Machine, Sink, stop, rule));
        Assert.Equal(0, Host.AllLeftOpen);
        return candidates.Outcomes();
    }
}
