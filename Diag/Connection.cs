using System.Buffers.Binary;
using TcpCloser.Interop;

namespace TcpCloser.Diag;

/// <summary>
/// One TCP connection of a dump and what became of it, in 64 bytes: a busy server has a hundred thousand of them, and all
/// are held before the first is closed.
/// </summary>
internal struct Connection
{
    /// <summary>What <see cref="IdleMs"/> is where the kernel gave no usable clock.</summary>
    public const uint UnknownAge = uint.MaxValue;

    /// <summary>Local and remote address as the kernel writes them for <see cref="Family"/>.</summary>
    public Address Source;
    public Address Destination;

    /// <summary>The kernel's own number of this socket, never used again: a later connection between the same ports has another.</summary>
    public ulong Cookie;

    /// <summary>Host order.</summary>
    public ushort SourcePort;
    public ushort DestinationPort;

    /// <summary>Index of the device the socket is bound to; 0: none.</summary>
    public uint Interface;

    /// <summary>The socket's inode, by which /proc names it; 0: nobody has it open.</summary>
    public uint Inode;

    public uint Uid;

    /// <summary>Milliseconds since data was last received, at the time of the dump.</summary>
    public uint IdleMs;

    /// <summary>The errno that belongs to <see cref="Outcome"/>; 0: none.</summary>
    public ushort Errno;

    public Outcome Outcome;

    /// <summary>The highest <see cref="State"/> that there is room for.</summary>
    public const byte HighestState = 0x0f;

    private const byte IPv6Bit = 0x10;
    private const byte MptcpBit = 0x20;
    private const byte SendingBit = 0x40;

    private byte _stateAndBits;

    /// <summary>As <see cref="TcpState"/> numbers them.</summary>
    public byte State
    {
        readonly get => (byte)(_stateAndBits & HighestState);
        set => _stateAndBits = (byte)(_stateAndBits & ~HighestState | value & HighestState);
    }

    /// <summary>The socket's family, AF_INET or AF_INET6; IPv4 may run over either.</summary>
    public byte Family
    {
        readonly get => (_stateAndBits & IPv6Bit) != 0 ? (byte)Socket.AF_INET6 : (byte)Socket.AF_INET;
        set => _stateAndBits = (byte)(value == Socket.AF_INET6 ? _stateAndBits | IPv6Bit : _stateAndBits & ~IPv6Bit);
    }

    /// <summary>A subflow of an MPTCP connection, whose owner does not learn of the end of one subflow.</summary>
    public bool IsMptcp
    {
        readonly get => (_stateAndBits & MptcpBit) != 0;
        set => _stateAndBits = (byte)(value ? _stateAndBits | MptcpBit : _stateAndBits & ~MptcpBit);
    }

    /// <summary>It received nothing for the idle time, and sent data within it: somebody may be downloading.</summary>
    public bool IsSending
    {
        readonly get => (_stateAndBits & SendingBit) != 0;
        set => _stateAndBits = (byte)(value ? _stateAndBits | SendingBit : _stateAndBits & ~SendingBit);
    }

    /// <summary>An IPv4 connection, on a socket of either family.</summary>
    public readonly bool IsIPv4 => Family == Socket.AF_INET || Source.IsMappedIPv4;

    /// <summary>What the kernel wrote into a dump, but for the attributes.</summary>
    public static Connection From(in InetDiagMsg message) => new()
    {
        Source = message.Id.Source,
        Destination = message.Id.Destination,
        Cookie = message.Id.Cookie,
        SourcePort = BinaryPrimitives.ReverseEndianness(message.Id.SourcePort),
        DestinationPort = BinaryPrimitives.ReverseEndianness(message.Id.DestinationPort),
        Interface = message.Id.Interface,
        Inode = message.IdiagInode,
        Uid = message.IdiagUid,
        IdleMs = UnknownAge,
        State = message.IdiagState,
        Family = message.IdiagFamily,
    };

    /// <summary>The id by which the kernel finds this very connection: with its cookie, so never another one, nor a listener.</summary>
    public readonly InetDiagSockId Id => new()
    {
        SourcePort = BinaryPrimitives.ReverseEndianness(SourcePort),
        DestinationPort = BinaryPrimitives.ReverseEndianness(DestinationPort),
        Source = Source,
        Destination = Destination,
        Interface = Interface,
        Cookie = Cookie,
    };
}
