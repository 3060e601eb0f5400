namespace TcpCloser.Tests.Support;

/// <summary>A NETLINK_SOCK_DIAG kernel with the answers of a test.</summary>
/// <param name="answers">Returns the answers to a send, by its bytes and its number, counted from 0.</param>
internal sealed class FakeKernel(Func<byte[], int, IEnumerable<Answer>> answers)
{
    private readonly List<byte[]> _sent = [];

    /// <summary>Everything that was sent, one item for each send.</summary>
    public IReadOnlyList<byte[]> Sent => _sent;
    public int LeftOpen { get; private set; } // the number of sockets that were not closed

    /// <summary>The errno of send(2) itself, by the number of the send; 0: it succeeds.</summary>
    public Func<int, int> SendErrno { get; init; } = static _ => 0;

    public static FakeKernel Answering(params Answer[] answers) => new((_, _) => answers);

    public Faults Faults { get; init; } = new(); // the calls that fail

    /// <exception cref="SystemCallException">A test makes this call fail.</exception>
    public INetlinkSocket Open()
    {
        int errno = Faults.Next("open netlink");
        if (errno != 0)
        {
            throw new SystemCallException(new Failure(Operation.OpenNetlink, errno));
        }

        LeftOpen++;
        return new FakeSocket(this);
    }

    public void Closed() => LeftOpen--;

    public int Run(byte[] request, out List<Answer> queued)
    {
        int number = _sent.Count;
        _sent.Add(request);
        int errno = Faults.Next(DestroyRequest.IsDestroy(request) ? "send destroy" : "send");
        errno = errno == 0 ? SendErrno(number) : errno;
        queued = errno == 0 ? [.. answers(request, number)] : [];
        return errno;
    }
}
