using System.Runtime.InteropServices;
using TcpCloser.Diag;
using TcpCloser.Interop;

namespace TcpCloser.Kill;

/// <summary>
/// SOCK_DESTROY (linux/sock_diag.h, Linux 4.5) for a stretch of connections at a time: many requests go in one send and are
/// run inside it; without NLM_F_ACK only failures answer.
/// </summary>
internal sealed unsafe class DestroyBatch(NetworkNamespace network) : IDisposable
{
    /// <summary>The default receive buffer holds 256 failures; of more, some would be lost.</summary>
    public const int MaxLength = 256;

    private static readonly int s_messageLength = sizeof(NlMsgHdr) + sizeof(InetDiagReqV2);

    private readonly INetlinkSocket _socket = network.OpenSocket();
    private readonly byte[] _requests = new byte[MaxLength * s_messageLength];
    private readonly byte[] _answer = new byte[8192];
    private uint _sequence = 1;

    /// <summary>Destroys the idle ones from <paramref name="start"/> to before <paramref name="end"/> and sets their outcomes.</summary>
    /// <param name="doomed">The connections.</param>
    /// <param name="start">The first.</param>
    /// <param name="end">One past the last; at most <see cref="MaxLength"/> further.</param>
    /// <param name="sparesMptcp">Whether subflows of MPTCP connections stay idle, for another method.</param>
    /// <returns>The errno that every further connection would meet too, or 0.</returns>
    public int Destroy(ConnectionList doomed, int start, int end, bool sparesMptcp)
    {
        // The sequence number tells which connection of the batch a failure is about.
        uint first = _sequence;
        _sequence += MaxLength;
        int length = 0;
        for (int i = start; i < end; i++)
        {
            ref Connection connection = ref doomed[i];
            if (connection.Outcome == Outcome.Idle && !(sparesMptcp && connection.IsMptcp))
            {
                Write(_requests.AsSpan(length, s_messageLength), in connection, first + (uint)(i - start));
                length += s_messageLength;
                connection.Outcome = Outcome.Destroyed;
            }
        }

        if (length == 0)
        {
            return 0;
        }

        int errno = _socket.Send(_requests.AsSpan(0, length));
        if (errno != 0)
        {
            Fail(doomed, start, end, errno);
            return errno;
        }

        if (ReadFailures(doomed, start, end, first))
        {
            Recheck(doomed, start, end);
        }

        return HopelessErrno(doomed, start, end);
    }

    public void Dispose() => _socket.Dispose();

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

    /// <summary>Takes all answers; each is a failure. True where some were lost.</summary>
    private bool ReadFailures(ConnectionList doomed, int start, int end, uint first)
    {
        bool lost = false;
        while (true)
        {
            int length = _socket.Receive(_answer, wait: false, out uint sender);
            if (length < 0 && length != -Errno.ENOBUFS)
            {
                return lost;
            }

            lost |= length < 0;
            var reader = new NetlinkReader(_answer.AsSpan(0, Math.Clamp(length, 0, _answer.Length)));
            while (sender == 0 && reader.Next())
            {
                uint index = reader.Header.Sequence - first;
                int errno = NetlinkReader.Error(reader.Payload);
                if (reader.Header.Type == Netlink.NLMSG_ERROR && index < (uint)(end - start) && errno != 0)
                {
                    ref Connection connection = ref doomed[start + (int)index];
                    connection.Outcome = errno == Errno.ENOENT ? Outcome.Vanished : Outcome.Failed;
                    connection.FailedErrno = errno == Errno.ENOENT ? (byte)0 : (byte)errno;
                }
            }
        }
    }

    /// <summary>Failures were lost: what seemed destroyed and is still there was one.</summary>
    private void Recheck(ConnectionList doomed, int start, int end)
    {
        for (int i = start; i < end; i++)
        {
            ref Connection connection = ref doomed[i];
            if (connection.Outcome == Outcome.Destroyed && IsStillThere(in connection))
            {
                connection.Outcome = Outcome.Failed;
                connection.FailedErrno = Errno.ENOBUFS;
            }
        }
    }

    private bool IsStillThere(ref readonly Connection connection)
    {
        try
        {
            using var lookup = new SocketLookup(network);
            return lookup.TryFind(in connection, out _, out _);
        }
        catch (SystemCallException)
        {
            // Nobody knows: then it must not be said to be closed.
            return true;
        }
    }

    /// <summary>
    /// Missing privilege and a kernel without SOCK_DESTROY refuse every connection alike: then the rest need not be tried.
    /// TIME_WAIT proves nothing, before Linux 6.0 it alone answers EOPNOTSUPP.
    /// </summary>
    private static int HopelessErrno(ConnectionList doomed, int start, int end)
    {
        int hopeless = 0;
        for (int i = start; i < end; i++)
        {
            ref Connection connection = ref doomed[i];
            if (connection.Outcome == Outcome.Destroyed)
            {
                return 0;
            }

            if (connection.Outcome == Outcome.Failed && SockDestroyer.IsHopeless(connection.FailedErrno) && connection.State != TcpState.TimeWait)
            {
                hopeless = connection.FailedErrno;
            }
        }

        return hopeless;
    }

    private static void Fail(ConnectionList doomed, int start, int end, int errno)
    {
        for (int i = start; i < end; i++)
        {
            if (doomed[i].Outcome == Outcome.Destroyed)
            {
                doomed[i].Outcome = Outcome.Failed;
                doomed[i].FailedErrno = (byte)errno;
            }
        }
    }
}
