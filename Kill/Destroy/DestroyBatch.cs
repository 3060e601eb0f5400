using System.Runtime.InteropServices;
using TcpCloser.Diag;
using TcpCloser.Interop;
using TcpCloser.Rules;

namespace TcpCloser.Kill;

/// <summary>
/// SOCK_DESTROY (linux/sock_diag.h, Linux 4.5) for a batch of connections: one send carries many requests, and the kernel executes them
/// before it returns. Without NLM_F_ACK, the kernel answers only refusals.
/// </summary>
internal sealed unsafe class DestroyBatch : IDisposable
{
    private static readonly int s_messageLength = sizeof(NlMsgHdr) + sizeof(InetDiagReqV2);

    private readonly NetworkNamespace _network;
    private readonly ConnectionList _candidates;
    private readonly NetlinkExchange _exchange;
    private readonly byte[] _requests = new byte[ResultBatch.Length * s_messageLength];
    private readonly DestroyItem[] _items = new DestroyItem[ResultBatch.Length];

    /// <exception cref="SystemCallException">The namespace cannot be entered, or no netlink socket can be opened.</exception>
    public DestroyBatch(NetworkNamespace network, ConnectionList candidates)
    {
        _network = network;
        _candidates = candidates;
        _exchange = new NetlinkExchange(network.OpenSocket(), new byte[8192]);
    }

    /// <summary>How many connections are in the batch.</summary>
    public int Count { get; private set; }

    /// <summary>The connections of the batch; after <see cref="Run"/>, with their verdicts.</summary>
    public Span<DestroyItem> Items => _items.AsSpan(0, Count);

    public void Clear() => Count = 0;

    public void Add(int index) => _items[Count++] = new DestroyItem(index);

    /// <summary>Destroys the connections of the batch.</summary>
    public void Run()
    {
        // The sequence number shows which connection of the batch a refusal is about.
        uint sequence = _exchange.Begin(Count);
        for (int i = 0; i < Count; i++)
        {
            Write(_requests.AsSpan(i * s_messageLength, s_messageLength), in _candidates[_items[i].Index], sequence + (uint)i);
        }

        int errno = Count == 0 ? 0 : _exchange.Send(_requests.AsSpan(0, Count * s_messageLength));
        if (errno != 0)
        {
            // As an answer, ENOENT means that the connection is gone. As the errno of the send, it does not mean that.
            foreach (ref DestroyItem item in Items)
            {
                item.SetAnswer(errno == Errno.ENOENT ? Errno.EIO : errno);
            }

            return;
        }

        errno = ReadRefusals();
        if (errno != 0)
        {
            // Refusals were lost, so a connection that seems destroyed may have been refused. If so, it still exists.
            var refused = new DestroyItem(0);
            refused.SetAnswer(errno);
            Recheck(static (item, _) => item.Verdict == DestroyVerdict.Destroyed || item.Errno == Errno.EBADMSG, refused.Verdict, errno);
        }

        // An old kernel (5.10) reports success for orphaned sockets in FIN_WAIT1, CLOSING and LAST_ACK but does not destroy them.
        Recheck(static (item, connection) => item.Verdict == DestroyVerdict.Destroyed && connection.Inode == 0
            && connection.State is (TcpState.FinWait1 or TcpState.Closing or TcpState.LastAck), DestroyVerdict.StillThere);
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

    /// <summary>Reads all answers; each is a refusal. Returns 0, or the errno if some may have been lost.</summary>
    private int ReadRefusals()
    {
        int lost = 0;
        for (int losses = 0; losses <= Count;)
        {
            int errno = _exchange.Next(wait: false);
            if (errno == 0 && _exchange.Header.Type == Netlink.NLMSG_ERROR)
            {
                // A malformed answer does not replace an earlier one about the same connection.
                errno = _exchange.Error();
                ref DestroyItem item = ref _items[_exchange.RequestIndex];
                if (errno != Errno.EBADMSG || item.Verdict == DestroyVerdict.Destroyed)
                {
                    item.SetAnswer(errno);
                }

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

    /// <summary>
    /// Looks doubtful connections of the batch up again: one that is gone was destroyed; one that still exists gets the verdict
    /// <paramref name="ifThere"/>.
    /// </summary>
    private void Recheck(Func<DestroyItem, Connection, bool> isDoubtful, DestroyVerdict ifThere, int errno = 0)
    {
        SocketLookup? lookup = null;
        foreach (ref DestroyItem item in Items)
        {
            ref Connection connection = ref _candidates[item.Index];
            if (!isDoubtful(item, connection))
            {
                continue;
            }

            try
            {
                lookup ??= new SocketLookup(_network);
                bool isThere = lookup.TryFind(in connection, out _, out _);
                item.Set(isThere ? ifThere : DestroyVerdict.Destroyed, isThere ? errno : 0);
            }
            catch (SystemCallException)
            {
                item.Set(DestroyVerdict.Unknown);
            }
        }

        lookup?.Dispose();
    }
}

/// <summary>The result of SOCK_DESTROY for one connection.</summary>
internal enum DestroyVerdict : byte
{
    Destroyed,

    /// <summary>The kernel does not find it, or no process has it open any more: ENOENT.</summary>
    Gone,

    /// <summary>The result could not be determined.</summary>
    Unknown,

    /// <summary>It still exists: repeated requests did not find it, or an old kernel did not destroy it.</summary>
    StillThere,

    /// <summary>The kernel destroys only full sockets, and this is not one, or no longer one: EOPNOTSUPP.</summary>
    NotFull,

    /// <summary>The kernel refused with <see cref="DestroyItem.Errno"/>.</summary>
    Refused,
}

/// <summary>A connection of a batch.</summary>
/// <param name="index">Its index in the list of candidates.</param>
internal struct DestroyItem(int index)
{
    public int Index { get; } = index;

    public DestroyVerdict Verdict { get; private set; }

    /// <summary>The errno that belongs to the verdict; 0: none.</summary>
    public int Errno { get; private set; }

    /// <summary>
    /// Whether the kernel would refuse every connection of the network namespace in the same way, so that the rest need not be tried:
    /// missing privilege, or a kernel without SOCK_DESTROY (EINVAL before Linux 4.5).
    /// </summary>
    public readonly bool AppliesToAll => Verdict == DestroyVerdict.Refused
        && Errno is (Interop.Errno.EPERM or Interop.Errno.EOPNOTSUPP or Interop.Errno.EINVAL);

    public void Set(DestroyVerdict verdict, int errno = 0) => (Verdict, Errno) = (verdict, errno);

    /// <summary>Sets the verdict from the kernel's answer; 0: it was destroyed.</summary>
    public void SetAnswer(int errno) =>
        Set(errno == 0 ? DestroyVerdict.Destroyed : errno == Interop.Errno.ENOENT ? DestroyVerdict.Gone : DestroyVerdict.Refused, errno);
}
