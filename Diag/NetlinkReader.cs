using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using TcpCloser.Interop;

namespace TcpCloser.Diag;

/// <summary>Takes a datagram of netlink messages apart. What does not fit into the bytes that are there ends the walk.</summary>
internal ref struct NetlinkReader(ReadOnlySpan<byte> datagram)
{
    private ReadOnlySpan<byte> _rest = datagram;

    /// <summary>The message that <see cref="Next"/> came to.</summary>
    public NlMsgHdr Header { get; private set; }

    /// <summary>What follows its header.</summary>
    public ReadOnlySpan<byte> Payload { get; private set; }

    /// <summary>Goes to the next message; false at the end.</summary>
    public bool Next()
    {
        int headerSize = Unsafe.SizeOf<NlMsgHdr>();
        if (_rest.Length < headerSize)
        {
            return false;
        }

        Header = MemoryMarshal.Read<NlMsgHdr>(_rest);
        if (Header.Length < headerSize || Header.Length > _rest.Length)
        {
            return false;
        }

        Payload = _rest[headerSize..(int)Header.Length];
        _rest = _rest[Math.Min(Netlink.Align((int)Header.Length), _rest.Length)..];
        return true;
    }

    /// <summary>The errno, positive, at the start of an NLMSG_ERROR's or NLMSG_DONE's payload; 0 where there is none.</summary>
    public static int Error(ReadOnlySpan<byte> payload) => payload.Length >= sizeof(int) ? -Math.Min(MemoryMarshal.Read<int>(payload), 0) : 0;
}
