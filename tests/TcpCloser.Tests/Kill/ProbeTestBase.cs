namespace TcpCloser.Tests.Kill;

/// <summary>A fake machine with a process whose peers are probed; any call can fail, and time passes at once.</summary>
public abstract class ProbeTestBase
{
    private protected const uint Quiet = 10_000;

    private protected FakeHost Host { get; } = new();
    private protected FakeProcess Owner { get; }
    private protected RecordingSink Sink { get; private set; } = new(new ConnectionList());

    protected ProbeTestBase() => Owner = Host.Add(new FakeProcess(1_000));

    /// <summary>Does something once, right before a call.</summary>
    private protected void Before(string call, Func<bool> when, Action change)
    {
        bool isDone = false;
        Host.Faults.Before = (made, _) =>
        {
            if (made == call && !isDone && when())
            {
                isDone = true;
                change();
            }
        };
    }

    private protected FakeTcp Add(FakeAnswer answer) => Add(answer, Owner);

    private protected FakeTcp Add(FakeAnswer answer, FakeProcess? holder) => Add(new FakePeer(answer, Quiet), holder);

    private protected FakeTcp Add(FakePeer peer) => Add(peer, Owner);

    private protected FakeTcp Add(FakePeer peer, FakeProcess? holder)
    {
        int number = Host.Sockets.Count;
        var socket = new FakeTcp(new DumpedSocket
        {
            DestinationPort = (ushort)(1_000 + number),
            Cookie = 0x5000 + (ulong)number,
            Inode = holder is null ? 0 : 100 + (uint)number,
            Rto = 204_000,
            Backoff = 0,
        })
        {
            Peer = peer,
        };
        return holder is null ? Host.Add(socket) : Host.Add(socket, holder);
    }

    private protected string[] RunProbe(string time) => RunProbe(time, Host.Candidates());

    private protected string[] RunProbe(string time, ConnectionList candidates, Func<bool>? stop = null)
    {
        Sink = new RecordingSink(candidates);
        Rule rule = Words.Rule("-s", "22", "--probe", time);
        new PeerProbe().Run(candidates, Contexts.Of(Host.Machine, Sink, stop, rule));
        Assert.Equal(0, Host.AllLeftOpen);
        return [.. Enumerable.Range(0, candidates.Count).Select(i => candidates[i].Outcome.ToString())];
    }
}
