using System.Runtime.InteropServices;
using TcpCloser.Diag;
using TcpCloser.Interop;

namespace TcpCloser.Kill;

/// <summary>
/// SOCK_DESTROY (linux/sock_diag.h, Linux 4.5) for a batch of connections at a time: many requests go in one send and are run
/// inside it; without NLM_F_ACK only refusals are answered.
/// </summary>
internal sealed unsafe class DestroyBatch : IDisposable
{
    private static readonly int s_messageLength = sizeof(NlMsgHdr) + sizeof(InetDiagReqV2);

    private readonly NetworkNamespace _network;
    private readonly ConnectionList _candidates;
    private readonly NetlinkExchange _exchange;
    private readonly byte[] _requests = new byte[ResultBatch.Length * s_messageLength];
    private readonly int[] _indexes = new int[ResultBatch.Length];
    private readonly int[] _errnos = new int[ResultBatch.Length];

    /// <exception cref="SystemCallException">The namespace cannot be entered, or no socket.</exception>
    public DestroyBatch(NetworkNamespace network, ConnectionList candidates)
    {
        _network = network;
        _candidates = candidates;
        _exchange = new NetlinkExchange(network.OpenSocket(), new byte[8192]);
    }

    /// <summary>How many connections are in the batch.</summary>
    public int Count { get; private set; }

    /// <summary>The places of the batch's connections in the list.</summary>
    public ReadOnlySpan<int> Indexes => _indexes.AsSpan(0, Count);

    /// <summary>Of each connection of the batch, the errno by which it was refused; 0: destroyed; <see cref="Unknown"/>.</summary>
    public Span<int> Errnos => _errnos.AsSpan(0, Count);

    /// <summary>In place of an errno: what became of it could not be found out.</summary>
    public const int Unknown = -1;

    public void Clear() => Count = 0;

    public void Add(int index) => _indexes[Count++] = index;

    /// <summary>Destroys the connections of the batch.</summary>
    public void Run()
    {
        // The sequence number tells which connection of the batch a refusal is about.
        uint sequence = _exchange.Begin(Count);
        for (int i = 0; i < Count; i++)
        {
            Write(_requests.AsSpan(i * s_messageLength, s_messageLength), in _candidates[_indexes[i]], sequence + (uint)i);
        }

        Errnos.Clear();
        int errno = Count == 0 ? 0 : _exchange.Send(_requests.AsSpan(0, Count * s_messageLength));
        if (errno != 0)
        {
            // ENOENT is what the kernel answers of a connection that is gone; of the call it says nothing about any.
            Errnos.Fill(errno == Errno.ENOENT ? Errno.EIO : errno);
            return;
        }

        errno = ReadRefusals();
        if (errno != 0)
        {
            // Refusals were lost, so that what seems destroyed may have been refused: then it is still there.
            Recheck(static (errno, _) => errno is 0 or Errno.EBADMSG, errno);
        }

        // An old kernel (5.10) says that it destroyed what is on its way to be closed and has no owner, and does not.
        Recheck(static (errno, connection) => errno == 0 && connection.Inode == 0
            && connection.State is (TcpState.FinWait1 or TcpState.Closing or TcpState.LastAck), MissedSockets.StillThere);
    }

    public void Dispose() => _exchange.Dispose();

    private static void Write(Span<byte> message, ref readonly Connection connection, uint sequence)
    {
        var header = new NlMsgHdr
        {
            Length = (uint)s_messageLength,
            Type = SockDiag.SOCK_DESTROY,
            Flags = Netlink.NLM_F_REQUEST,
            Sequence = sequence,
        };
        var body = new InetDiagReqV2
        {
            SdiagFamily = connection.Family,
            SdiagProtocol = SockDiag.IPPROTO_TCP,
            IdiagStates = uint.MaxValue,
            Id = connection.Id,
        };
        MemoryMarshal.Write(message, in header);
        MemoryMarshal.Write(message[sizeof(NlMsgHdr)..], in body);
    }

    /// <summary>Takes all answers; each is a refusal. Returns 0, or the errno where some may have been lost.</summary>
    private int ReadRefusals()
    {
        int lost = 0;
        for (int losses = 0; losses <= Count;)
        {
            int errno = _exchange.Next(wait: false);
            if (errno == 0 && _exchange.Header.Type == Netlink.NLMSG_ERROR)
            {
                // What makes no sense does not replace what was said of the same connection.
                errno = _exchange.Error();
                ref int said = ref _errnos[_exchange.RequestIndex];
                said = errno == Errno.EBADMSG && said != 0 ? said : errno;
                lost = errno == Errno.EBADMSG ? errno : lost;
            }
            else if (errno is Errno.ENOBUFS or Errno.EMSGSIZE or Errno.EBADMSG)
            {
                lost = errno; // some are lost, others may follow, but no more than there are requests
                losses++;
            }
            else if (errno != 0)
            {
                return errno == Errno.EAGAIN ? lost : errno;
            }
        }

        return lost;
    }

    /// <summary>Looks again at connections of the batch: one that is gone is destroyed, one that is not is <paramref name="ifThere"/>.</summary>
    private void Recheck(Func<int, Connection, bool> isDoubtful, int ifThere)
    {
        SocketLookup? lookup = null;
        for (int i = 0; i < Count; i++)
        {
            ref Connection connection = ref _candidates[_indexes[i]];
            if (!isDoubtful(_errnos[i], connection))
            {
                continue;
            }

            try
            {
                lookup ??= new SocketLookup(_network);
                _errnos[i] = lookup.TryFind(in connection, out _, out _) ? ifThere : 0;
            }
            catch (SystemCallException)
            {
                _errnos[i] = Unknown;
            }
        }

        lookup?.Dispose();
    }
}
