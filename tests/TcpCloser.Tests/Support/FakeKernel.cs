using TcpCloser.Diag;
using TcpCloser.Interop;

namespace TcpCloser.Tests.Support;

/// <summary>A NETLINK_SOCK_DIAG kernel that answers what a test wants.</summary>
/// <param name="answers">The answers to a send, which it is given, with its number counted from 0.</param>
internal sealed class FakeKernel(Func<byte[], int, IEnumerable<Answer>> answers)
{
    private readonly List<byte[]> _sent = [];

    /// <summary>Everything sent so far, a send each.</summary>
    public IReadOnlyList<byte[]> Sent => _sent;

    /// <summary>How many sockets were never closed.</summary>
    public int LeftOpen { get; private set; }

    /// <summary>What send(2) itself returns, by the number of the send.</summary>
    public Func<int, int> SendErrno { get; init; } = static _ => 0;

    public static FakeKernel Answering(params Answer[] answers) => new((_, _) => answers);

    /// <summary>Fails calls besides.</summary>
    public Faults Faults { get; init; } = new();

    /// <exception cref="SystemCallException">It is one of those that fail.</exception>
    public INetlinkSocket Open()
    {
        int errno = Faults.Next("open netlink");
        if (errno != 0)
        {
            throw new SystemCallException(Operation.OpenNetlink, errno);
        }

        LeftOpen++;
        return new FakeSocket(this);
    }

    public void Closed() => LeftOpen--;

    public int Run(byte[] request, out List<Answer> given)
    {
        int number = _sent.Count;
        _sent.Add(request);
        int errno = Faults.Next(DestroyRequest.IsDestroy(request) ? "send destroy" : "send");
        errno = errno == 0 ? SendErrno(number) : errno;
        given = errno == 0 ? [.. answers(request, number)] : [];
        return errno;
    }
}
