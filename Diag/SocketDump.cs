using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using TcpCloser.Interop;

namespace TcpCloser.Diag;

/// <summary>Asks the kernel for sockets and reads the answer to its end (sock_diag(7)).</summary>
internal sealed class SocketDump
{
    /// <summary>The kernel writes up to 32 KiB into one datagram, if the reader's buffer has room for it.</summary>
    private const int FirstBufferSize = 64 * 1024;

    /// <summary>How often a dump is begun again whose answer did not arrive whole.</summary>
    private const int Attempts = 4;

    private byte[] _buffer = GC.AllocateUninitializedArray<byte>(FirstBufferSize);

    /// <summary>The kernel said that the table changed under the walk: sockets may be missing.</summary>
    public bool Interrupted { get; private set; }

    /// <summary>Sends a request for a dump and reads the answer.</summary>
    /// <param name="network">Where to look.</param>
    /// <param name="request">The message; its sequence number is filled in.</param>
    /// <param name="sink">Takes each socket; is reset where the dump has to be begun again.</param>
    /// <returns>0 or the errno; EBADMSG where the answer makes no sense.</returns>
    /// <exception cref="SystemCallException">The namespace cannot be asked at all.</exception>
    public int Run(NetworkNamespace network, byte[] request, IDumpSink sink)
    {
        int errno = 0;
        for (int attempt = 0; attempt < Attempts; attempt++)
        {
            sink.Reset();
            Interrupted = false;

            // A socket of its own each time: what is left of an aborted dump is thrown away with the socket.
            using var exchange = new NetlinkExchange(network.OpenSocket(), _buffer);
            DumpRequest.SetSequence(request, exchange.Begin(1));
            errno = exchange.Send(request);
            if (errno == 0)
            {
                errno = Read(exchange, sink);
            }

            _buffer = exchange.Buffer;
            if (errno is not (Errno.ENOBUFS or Errno.EMSGSIZE or Errno.EBUSY))
            {
                break;
            }
        }

        return errno;
    }

    /// <summary>Reads until NLMSG_DONE. Returns 0 or the errno.</summary>
    private int Read(NetlinkExchange exchange, IDumpSink sink)
    {
        while (true)
        {
            int errno = exchange.Next(wait: true);
            if (errno != 0)
            {
                return errno;
            }

            Interrupted |= (exchange.Header.Flags & Netlink.NLM_F_DUMP_INTR) != 0;
            switch (exchange.Header.Type)
            {
                case Netlink.NLMSG_DONE:
                    // Without a handler for TCP the kernel hides the error in NLMSG_DONE.
                    return exchange.Error();
                case Netlink.NLMSG_ERROR:
                    // An acknowledgement was not asked for, and ends no dump.
                    errno = exchange.Error();
                    return errno != 0 ? errno : Errno.EBADMSG;
                case SockDiag.SOCK_DIAG_BY_FAMILY or SockDiag.TCPDIAG_GETSOCK:
                    if (!TryRead(exchange.Payload, out ReadOnlySpan<byte> attributes))
                    {
                        return Errno.EBADMSG;
                    }

                    sink.Add(in MemoryMarshal.AsRef<InetDiagMsg>(exchange.Payload), new SocketAttributes(attributes));
                    break;
            }
        }
    }

    /// <summary>Whether the payload is a TCP socket: only then may its fields be believed.</summary>
    public static bool TryRead(ReadOnlySpan<byte> payload, out ReadOnlySpan<byte> attributes)
    {
        attributes = default;
        if (payload.Length < Unsafe.SizeOf<InetDiagMsg>())
        {
            return false;
        }

        attributes = payload[Unsafe.SizeOf<InetDiagMsg>()..];
        ref readonly InetDiagMsg message = ref MemoryMarshal.AsRef<InetDiagMsg>(payload);
        return message.IdiagFamily is (byte)Socket.AF_INET or (byte)Socket.AF_INET6
            && message.IdiagState is > 0 and <= Connection.HighestState
            && message.Id.Cookie != SockDiag.INET_DIAG_NOCOOKIE;
    }
}
