using System.Runtime.InteropServices;
using TcpCloser.Diag;
using TcpCloser.Interop;

namespace TcpCloser.Kill;

/// <summary>
/// SOCK_DESTROY (linux/sock_diag.h, Linux 4.5): the kernel aborts the connection and tells both ends. Many requests go in
/// one send and are run inside it; without NLM_F_ACK only failures answer.
/// </summary>
internal sealed unsafe class SockDestroyer(Func<INetlinkSocket> open) : IConnectionCloser
{
    /// <summary>The default receive buffer holds 256 failures; of more, some would be lost.</summary>
    private const int BatchLength = 256;

    private static readonly int MessageLength = sizeof(NlMsgHdr) + sizeof(InetDiagReqV2);

    private readonly byte[] _requests = new byte[BatchLength * MessageLength];
    private readonly byte[] _answer = new byte[8192];
    private uint _sequence = 1;

    public void Close(ConnectionList doomed, IWitness witness, Func<bool> stopRequested)
    {
        using INetlinkSocket socket = open();
        int hopeless = 0;
        for (int start = 0; start < doomed.Count; start += BatchLength)
        {
            int end = Math.Min(start + BatchLength, doomed.Count);
            if (hopeless != 0)
            {
                Fail(doomed, start, end, hopeless);
            }
            else if (stopRequested())
            {
                for (int i = start; i < end; i++)
                {
                    doomed[i].Outcome = Outcome.NotReached;
                }
            }
            else
            {
                hopeless = Destroy(socket, doomed, start, end);
            }

            witness.Settled(doomed, start, end);
        }

        if (hopeless != 0)
        {
            witness.Hindered(Remedy(hopeless), hopeless is Errno.EPERM or Errno.EOPNOTSUPP or Errno.EINVAL);
        }
    }

    /// <summary>Destroys one batch. Returns the errno that every further one would meet too, or 0.</summary>
    private int Destroy(INetlinkSocket socket, ConnectionList doomed, int start, int end)
    {
        uint first = _sequence;
        for (int i = start; i < end; i++)
        {
            ref Connection connection = ref doomed[i];
            Write(_requests.AsSpan((i - start) * MessageLength, MessageLength), in connection, _sequence++);
            connection.Outcome = Outcome.Destroyed;
        }

        int errno = socket.Send(_requests.AsSpan(0, (end - start) * MessageLength));
        if (errno != 0)
        {
            Fail(doomed, start, end, errno);
            return errno;
        }

        bool answersLost = ReadFailures(socket, doomed, start, end, first);
        if (answersLost)
        {
            Recheck(doomed, start, end);
        }

        return HopelessErrno(doomed, start, end);
    }

    private static void Write(Span<byte> message, ref readonly Connection connection, uint sequence)
    {
        var header = new NlMsgHdr
        {
            Length = (uint)MessageLength,
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

    /// <summary>Takes all answers; each is a failure and names its request by the sequence number. True where some were lost.</summary>
    private bool ReadFailures(INetlinkSocket socket, ConnectionList doomed, int start, int end, uint first)
    {
        bool lost = false;
        while (true)
        {
            int length = socket.Receive(_answer, wait: false, out uint sender);
            if (length < 0)
            {
                if (length == -Errno.ENOBUFS)
                {
                    lost = true;
                    continue;
                }

                return lost;
            }

            var reader = new NetlinkReader(_answer.AsSpan(0, Math.Min(length, _answer.Length)));
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
        using var lookup = new SocketLookup(open);
        for (int i = start; i < end; i++)
        {
            ref Connection connection = ref doomed[i];
            if (connection.Outcome == Outcome.Destroyed && lookup.TryFind(in connection, out _, out _))
            {
                connection.Outcome = Outcome.Failed;
                connection.FailedErrno = Errno.ENOBUFS;
            }
        }
    }

    /// <summary>
    /// Missing privilege and a kernel without SOCK_DESTROY refuse every connection alike: then the rest is not tried.
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

            if (connection.FailedErrno is Errno.EPERM or Errno.EOPNOTSUPP or Errno.EINVAL && connection.State != TcpState.TimeWait)
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
            doomed[i].Outcome = Outcome.Failed;
            doomed[i].FailedErrno = (byte)errno;
        }
    }

    private static string Remedy(int errno) => "SOCK_DESTROY: " + Errno.Describe(errno) + ": " + errno switch
    {
        Errno.EPERM => "CAP_NET_ADMIN is missing; run as root, or give it with setcap cap_net_admin+ep",
        Errno.EOPNOTSUPP or Errno.EINVAL => "this kernel has no SOCK_DESTROY (CONFIG_INET_DIAG_DESTROY, Linux 4.5); " +
            "--use-proc kills the processes that hold the connections instead",
        _ => "nothing more was tried",
    };
}
