using System.Buffers.Binary;
using TcpCloser.Interop;
using TcpCloser.Rules;

namespace TcpCloser.Diag;

/// <summary>
/// One TCP connection of a dump and its outcome, in 64 bytes: a busy server has a hundred thousand connections, and all are in
/// memory before the first is closed.
/// </summary>
internal struct Connection
{
    /// <summary>The value of <see cref="IdleMs"/> if the kernel gave no usable clock.</summary>
    public const uint UnknownAge = uint.MaxValue;

    /// <summary>Local and remote address as the kernel writes them for <see cref="Family"/>.</summary>
    public Address Source;
    public Address Destination;

    /// <summary>
    /// The kernel's number of this socket. It is never reused: a later connection between the same ports has a different one.
    /// </summary>
    public ulong Cookie;

    /// <summary>Host byte order.</summary>
    public ushort SourcePort;
    public ushort DestinationPort;

    /// <summary>The index of the device that the socket is bound to; 0: none.</summary>
    public uint Interface;

    /// <summary>The socket's inode, which identifies it in /proc; 0: no process has it open.</summary>
    public uint Inode;

    public uint Uid;

    /// <summary>The age in milliseconds when the connection was last judged: by default, the time since data was last received.</summary>
    public uint IdleMs;

    /// <summary>MAX_ERRNO (linux/err.h); the bits above it hold <see cref="By"/>.</summary>
    private const ushort HighestErrno = 0x0fff;

    private const int ByShift = 12;

    private ushort _errnoAndBy;

    public Outcome Outcome;

    /// <summary>The errno that belongs to <see cref="Outcome"/>; 0: none.</summary>
    public ushort Errno
    {
        readonly get => (ushort)(_errnoAndBy & HighestErrno);
        set => _errnoAndBy = (ushort)(_errnoAndBy & ~HighestErrno | value & HighestErrno);
    }

    /// <summary>The method that closed it, was tried last, or would close it; <see cref="Method.Auto"/>: none so far.</summary>
    public Method By
    {
        readonly get => (Method)(_errnoAndBy >> ByShift);
        set => _errnoAndBy = (ushort)(_errnoAndBy & HighestErrno | (int)value << ByShift);
    }

    /// <summary>The highest <see cref="State"/> that fits.</summary>
    public const byte HighestState = 0x0f;

    private const byte IPv6Bit = 0x10;
    private const byte MptcpBit = 0x20;
    private const byte SendingBit = 0x40;
    private const byte ProvenBit = 0x80;

    private byte _stateAndBits;

    /// <summary>The state, with the numbers of <see cref="TcpState"/>.</summary>
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

    /// <summary>Whether it is a subflow of an MPTCP connection, whose holder does not notice the end of one subflow.</summary>
    public bool IsMptcp
    {
        readonly get => (_stateAndBits & MptcpBit) != 0;
        set => _stateAndBits = (byte)(value ? _stateAndBits | MptcpBit : _stateAndBits & ~MptcpBit);
    }

    /// <summary>Whether it received nothing for the idle time but sent data within it: somebody may be downloading.</summary>
    public bool IsSending
    {
        readonly get => (_stateAndBits & SendingBit) != 0;
        set => _stateAndBits = (byte)(value ? _stateAndBits | SendingBit : _stateAndBits & ~SendingBit);
    }

    /// <summary>With both --no-ack-for and --probe: whether the former proves it dead, so that its peer need not be probed.</summary>
    public bool IsProvenDead
    {
        readonly get => (_stateAndBits & ProvenBit) != 0;
        set => _stateAndBits = (byte)(value ? _stateAndBits | ProvenBit : _stateAndBits & ~ProvenBit);
    }

    /// <summary>Whether it is still to be closed, or in a dry run to be judged, and no method has decided on it yet.</summary>
    public readonly bool IsPending => Outcome == Outcome.Pending && By == Method.Auto;

    /// <summary>Whether it is an IPv4 connection, on a socket of either family.</summary>
    public readonly bool IsIPv4 => Family == Socket.AF_INET || Source.IsMappedIPv4;

    /// <summary>The index of the device that one of its addresses is limited to: that of a link-local address; 0: none.</summary>
    public readonly uint DeviceOf(ref readonly Address address) =>
        Family == Socket.AF_INET6 && address.IsLinkLocalIPv6 ? Interface : 0;

    /// <summary>Converts a message of a dump, without its attributes.</summary>
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

    /// <summary>
    /// The id by which the kernel finds exactly this connection: it has the cookie, so it never finds another connection or a listener.
    /// </summary>
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
