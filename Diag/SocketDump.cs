using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using TcpCloser.Interop;

namespace TcpCloser.Diag;

/// <summary>Asks the kernel for sockets and reads the answer to its end (sock_diag(7)).</summary>
internal sealed class SocketDump
{
    /// <summary>What a failed dump is called.</summary>
    public const string Operation = "listing TCP sockets by INET_DIAG";

    /// <summary>What it is called where the kernel keeps marks from who has no privilege.</summary>
    public const string MarkOperation = "filtering TCP sockets by mark";

    /// <summary>The kernel writes up to 32 KiB into one datagram, if the reader's buffer has room for it.</summary>
    private const int FirstBufferSize = 64 * 1024;

    /// <summary>How often a dump is begun again whose answer did not arrive whole.</summary>
    private const int Attempts = 4;

    private static uint s_sequence;

    private byte[] _buffer = GC.AllocateUninitializedArray<byte>(FirstBufferSize);

    /// <summary>What was asked for last, its bytecode and its request: a service asks the same each round.</summary>
    private Selection? _asked;
    private PortHalf? _askedHalf;
    private bool _askedMarksAndCgroups;
    private byte[] _bytecode = [];
    private byte[] _request = [];

    /// <summary>The kernel said that the table changed under the walk: sockets may be missing.</summary>
    public bool Interrupted { get; private set; }

    /// <summary>Lists what is selected.</summary>
    /// <param name="network">Where to look.</param>
    /// <param name="selection">What is meant.</param>
    /// <param name="half">Of one of its lists of ports, those to look for; null: all.</param>
    /// <param name="sink">Takes each socket; is reset where the dump has to be begun again.</param>
    /// <returns>The bytecode that the kernel took.</returns>
    /// <exception cref="SystemCallException">The kernel refused, or the answer did not arrive whole however often it was asked for.</exception>
    public byte[] Run(NetworkNamespace network, Selection selection, PortHalf? half, IDumpSink sink)
    {
        if (selection != _asked || half != _askedHalf || !selection.IsFixed)
        {
            Prepare(selection, half, marksAndCgroups: true);
        }

        int errno = Run(network, _request, sink);
        if (errno == Errno.EINVAL && _askedMarksAndCgroups && (selection.Marks.Count > 0 || selection.CgroupIds is not null))
        {
            // A kernel that does not know the op may still tell the mark or the cgroup of each socket.
            Prepare(selection, half, marksAndCgroups: false);
            errno = Run(network, _request, sink);
        }

        return errno == 0 ? _bytecode
            : throw new SystemCallException(errno == Errno.EPERM && selection.Marks.Count > 0 ? MarkOperation : Operation, errno);
    }

    /// <summary>Sends a request for a dump and reads the answer. Returns 0 or the errno.</summary>
    public int Run(NetworkNamespace network, byte[] request, IDumpSink sink)
    {
        int errno = 0;
        for (int attempt = 0; attempt < Attempts; attempt++)
        {
            sink.Reset();
            Interrupted = false;

            // A socket of its own each time: what is left of a broken dump is thrown away with the socket.
            using INetlinkSocket socket = network.OpenSocket();
            uint sequence = Interlocked.Increment(ref s_sequence);
            DumpRequest.SetSequence(request, sequence);
            errno = socket.Send(request);
            if (errno == 0)
            {
                errno = Read(socket, sequence, sink);
            }

            if (errno is not (Errno.ENOBUFS or Errno.EMSGSIZE or Errno.EBUSY))
            {
                break;
            }
        }

        return errno;
    }

    private void Prepare(Selection selection, PortHalf? half, bool marksAndCgroups)
    {
        selection.KernelDecides = marksAndCgroups && FilterCompiler.HoldsMarksAndCgroups(selection);
        _bytecode = FilterCompiler.Compile(selection, half, marksAndCgroups);
        _request = DumpRequest.Build(selection, _bytecode);
        _asked = selection;
        _askedHalf = half;
        _askedMarksAndCgroups = marksAndCgroups;
    }

    /// <summary>Reads until NLMSG_DONE. Returns 0 or the errno; EMSGSIZE where the buffer was too small, and now is larger.</summary>
    private int Read(INetlinkSocket socket, uint sequence, IDumpSink sink)
    {
        while (true)
        {
            int length = socket.Receive(_buffer, wait: true, out uint sender);
            if (length < 0)
            {
                return -length;
            }

            if (sender != 0)
            {
                continue;
            }

            if (length > _buffer.Length)
            {
                _buffer = new byte[length];
                return Errno.EMSGSIZE;
            }

            var reader = new NetlinkReader(_buffer.AsSpan(0, length));
            while (reader.Next())
            {
                if (reader.Header.Sequence != sequence)
                {
                    continue;
                }

                Interrupted |= (reader.Header.Flags & Netlink.NLM_F_DUMP_INTR) != 0;
                switch (reader.Header.Type)
                {
                    case Netlink.NLMSG_ERROR or Netlink.NLMSG_DONE:
                        // Without a handler for TCP the kernel hides the error in NLMSG_DONE.
                        return NetlinkReader.Error(reader.Payload);
                    case SockDiag.SOCK_DIAG_BY_FAMILY or SockDiag.TCPDIAG_GETSOCK when reader.Payload.Length >= Unsafe.SizeOf<InetDiagMsg>():
                        sink.Add(
                            in MemoryMarshal.AsRef<InetDiagMsg>(reader.Payload),
                            new SocketAttributes(reader.Payload[Unsafe.SizeOf<InetDiagMsg>()..]));
                        break;
                }
            }
        }
    }
}
