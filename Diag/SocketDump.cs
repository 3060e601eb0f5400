using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using TcpCloser.Interop;
using TcpCloser.Rules;

namespace TcpCloser.Diag;

/// <summary>Receives a socket of a dump.</summary>
/// <param name="attributes">Its attributes; overwritten after the call.</param>
internal delegate void DumpSink(ref readonly InetDiagMsg message, in SocketAttributes attributes);

/// <summary>Requests sockets from the kernel and reads the complete answer (sock_diag(7)).</summary>
internal sealed class SocketDump
{
    /// <summary>The kernel writes up to 32 KiB into one datagram, if the reader's buffer has room for it.</summary>
    private const int FirstBufferSize = 64 * 1024;

    /// <summary>The maximum number of attempts at a dump. It is repeated if the answer is incomplete.</summary>
    private const int Attempts = 4;

    private readonly RecentCookies _recent = new();
    /// <summary>Pinned, so that a collection does not copy it.</summary>
    private byte[] _buffer = GC.AllocateUninitializedArray<byte>(FirstBufferSize, pinned: true);

    /// <summary>Sends a request for a dump and reads the answer.</summary>
    /// <param name="network">The namespace to list.</param>
    /// <param name="request">The message; its sequence number is filled in.</param>
    /// <param name="sink">Receives each socket once.</param>
    /// <param name="reset">
    /// Called at the start of every attempt, to remove the entries of an aborted one. Null: its entries remain valid.
    /// </param>
    /// <returns>0 or the errno; EBADMSG if the answer is malformed.</returns>
    /// <exception cref="SystemCallException">No socket can be opened in the namespace.</exception>
    public int Run(NetworkNamespace network, byte[] request, DumpSink sink, Action? reset = null)
    {
        int errno = 0;
        for (int attempt = 0; attempt < Attempts; attempt++)
        {
            reset?.Invoke();
            _recent.Clear();

            // Each attempt has its own socket: the rest of an aborted dump is discarded with it.
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

    /// <summary>The same, but a failure throws.</summary>
    /// <exception cref="SystemCallException">The sockets could not be listed.</exception>
    public void List(NetworkNamespace network, byte[] request, DumpSink sink)
    {
        int errno = Run(network, request, sink);
        if (errno != 0)
        {
            throw new SystemCallException(new Failure(Operation.ListSockets, errno));
        }
    }

    /// <summary>Reads until NLMSG_DONE. Returns 0 or the errno.</summary>
    private int Read(NetlinkExchange exchange, DumpSink sink)
    {
        while (true)
        {
            int errno = exchange.Next(wait: true);
            if (errno != 0)
            {
                return errno;
            }

            switch (exchange.Header.Type)
            {
                case Netlink.NLMSG_DONE:
                    // A kernel without a handler for TCP puts the error into NLMSG_DONE.
                    return exchange.Error();
                case Netlink.NLMSG_ERROR:
                    // No acknowledgement was requested, and a dump does not end with one.
                    errno = exchange.Error();
                    return errno != 0 ? errno : Errno.EBADMSG;
                case SockDiag.SOCK_DIAG_BY_FAMILY or SockDiag.TCPDIAG_GETSOCK:
                    if (!TryRead(exchange.Payload, out ReadOnlySpan<byte> attributes))
                    {
                        return Errno.EBADMSG;
                    }

                    ref readonly InetDiagMsg message = ref MemoryMarshal.AsRef<InetDiagMsg>(exchange.Payload);
                    if (_recent.Add(message.Id.Cookie))
                    {
                        sink(in message, new SocketAttributes(attributes));
                    }

                    break;
            }
        }
    }

    /// <summary>Whether the payload is a TCP socket. Only then are its fields valid.</summary>
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

/// <summary>
/// The cookies of the last sockets that a dump listed, to find duplicates. In each bucket of its hash table, the kernel resumes after as
/// many sockets as it has already listed there. Connections that were added meanwhile are at the front, so it lists the last ones again.
/// The two entries of a socket are therefore only as far apart as connections were added, and a set of all cookies is not needed.
/// </summary>
internal sealed class RecentCookies
{
    /// <summary>A duplicate is missed only if more connections than this are added to one bucket while one datagram is read.</summary>
    public const int Length = 1 << Bits;

    private const int Bits = 12;
    private const int Mask = Length - 1;

    /// <summary>The cookie with the number n, counted from 1, is at index n modulo <see cref="Length"/>.</summary>
    private readonly ulong[] _cookies = GC.AllocateUninitializedArray<ulong>(Length, pinned: true);

    /// <summary>For each hash, the number of the last cookie that has it; 0: none.</summary>
    private readonly int[] _last = new int[Length];

    /// <summary>For each cookie, the number of the previous cookie with the same hash.</summary>
    private readonly int[] _before = GC.AllocateUninitializedArray<int>(Length, pinned: true);

    private int _count;

    /// <summary>Starts a new dump.</summary>
    public void Clear()
    {
        Array.Clear(_last);
        _count = 0;
    }

    /// <summary>Adds the cookie of a socket. Returns false if it was listed before.</summary>
    public bool Add(ulong cookie)
    {
        // Fibonacci hashing: before Linux 4.3 a cookie is an address, whose low bits are alike.
        ref int last = ref _last[(int)(cookie * 0x9e37_79b9_7f4a_7c15 >> 64 - Bits)];
        int oldest = Math.Max(_count - Length, 0);
        for (int number = last; number > oldest; number = _before[number & Mask])
        {
            if (_cookies[number & Mask] == cookie)
            {
                return false;
            }
        }

        _count++;
        _cookies[_count & Mask] = cookie;
        _before[_count & Mask] = last;
        last = _count;
        return true;
    }
}
