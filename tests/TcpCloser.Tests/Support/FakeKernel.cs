using TcpCloser.Diag;

namespace TcpCloser.Tests.Support;

/// <summary>A NETLINK_SOCK_DIAG kernel that answers what a test wants. Any number of threads may have sockets to it.</summary>
/// <param name="answers">The answers to a send, which it is given, with its number counted from 0.</param>
internal sealed class FakeKernel(Func<byte[], int, IEnumerable<Answer>> answers)
{
    private readonly Lock _lock = new();
    private readonly List<byte[]> _sent = [];
    private int _open;

    /// <summary>Everything sent so far, a send each.</summary>
    public IReadOnlyList<byte[]> Sent => _sent;

    /// <summary>How many sockets were never closed.</summary>
    public int LeftOpen => _open;

    /// <summary>What send(2) itself returns, by the number of the send.</summary>
    public Func<int, int> SendErrno { get; init; } = static _ => 0;

    public static FakeKernel Answering(params Answer[] answers) => new((_, _) => answers);

    public INetlinkSocket Open()
    {
        Interlocked.Increment(ref _open);
        return new FakeSocket(this);
    }

    public void Closed() => Interlocked.Decrement(ref _open);

    public int Run(byte[] request, out List<Answer> given)
    {
        lock (_lock)
        {
            int number = _sent.Count;
            _sent.Add(request);
            int errno = SendErrno(number);
            given = errno == 0 ? [.. answers(request, number)] : [];
            return errno;
        }
    }
}
