namespace TcpCloser.Tests.Kill;

/// <summary>A fake machine with a process whose peers are probed; any call can fail, and time passes at once.</summary>
public abstract class ProbeTestBase : StepTestBase
{
    private protected const uint Quiet = 10_000;

    private protected FakeProcess Owner { get; }

    protected ProbeTestBase() => Owner = Host.Add(new FakeProcess(1_000));

    private protected FakeTcp Add(FakeAnswer answer) => Add(answer, Owner);
    private protected FakeTcp Add(FakeAnswer answer, FakeProcess? holder) => Add(new FakePeer(answer, Quiet), holder);
    private protected FakeTcp Add(FakePeer peer) => Add(peer, Owner);

    private protected FakeTcp Add(FakePeer peer, FakeProcess? holder)
    {
        int number = Host.Sockets.Count;
        uint inode = holder is null ? 0 : 100 + (uint)number;
        var dumped = new DumpedSocket { DestinationPort = (ushort)(1_000 + number), Cookie = 0x5000 + (ulong)number, Inode = inode, Rto = 204_000, Backoff = 0 };
        return Host.Add(new FakeTcp(dumped) { Peer = peer }, holder is null ? [] : [holder]);
    }

    private protected string[] RunProbe(string time, ConnectionList? candidates = null, Func<bool>? stop = null) =>
        Run(new PeerProbe(), candidates, stop, Words.Rule("-s", "22", "--probe", time));
}
