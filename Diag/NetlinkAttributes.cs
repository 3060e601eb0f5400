using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using TcpCloser.Interop;

namespace TcpCloser.Diag;

/// <summary>Walks over the attributes of a netlink message. What does not fit into the bytes that are there ends the walk.</summary>
internal ref struct NetlinkAttributes(ReadOnlySpan<byte> attributes)
{
    private ReadOnlySpan<byte> _rest = attributes;

    /// <summary>Which attribute <see cref="Next"/> came to, without NLA_F_NESTED.</summary>
    public ushort Type { get; private set; }

    /// <summary>What it holds.</summary>
    public ReadOnlySpan<byte> Value { get; private set; }

    /// <summary>Goes to the next attribute; false at the end.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool Next()
    {
        int headerSize = Unsafe.SizeOf<NlAttr>();
        if (_rest.Length < headerSize)
        {
            return false;
        }

        NlAttr header = MemoryMarshal.Read<NlAttr>(_rest);
        if (header.Length < headerSize || header.Length > _rest.Length)
        {
            return false;
        }

        Type = (ushort)(header.Type & ~Netlink.NLA_F_NESTED);
        Value = _rest[headerSize..header.Length];
        _rest = _rest[Math.Min(Netlink.Align(header.Length), _rest.Length)..];
        return true;
    }
}
