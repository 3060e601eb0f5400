using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace TcpCloser.Interop;

/// <summary>linux/sock_diag.h and linux/inet_diag.h: constants.</summary>
internal static class SockDiag
{
    /// <summary>The request before Linux 3.3, which lists both families in one pass. Its answers have this type too.</summary>
    public const ushort TCPDIAG_GETSOCK = 18;
    public const ushort SOCK_DIAG_BY_FAMILY = 20;
    public const ushort SOCK_DESTROY = 21;

    /// <summary>The cookie of a request that matches any cookie. No socket has it.</summary>
    public const ulong INET_DIAG_NOCOOKIE = ulong.MaxValue;

    public const byte IPPROTO_TCP = 6;
    public const ushort IPPROTO_MPTCP = 262;

    public const ushort INET_DIAG_REQ_BYTECODE = 1;
    public const ushort INET_DIAG_REQ_PROTOCOL = 3;

    public const ushort INET_DIAG_INFO = 2;
    public const ushort INET_DIAG_MARK = 15;
    public const ushort INET_DIAG_ULP_INFO = 19;
    public const ushort INET_DIAG_CGROUP_ID = 21;

    /// <summary>Nested in INET_DIAG_ULP_INFO: the name (<c>mptcp</c> for a subflow) with its NUL.</summary>
    public const ushort INET_ULP_INFO_NAME = 1;

    public const byte INET_DIAG_BC_JMP = 1;
    public const byte INET_DIAG_BC_S_GE = 2;
    public const byte INET_DIAG_BC_S_LE = 3;
    public const byte INET_DIAG_BC_D_GE = 4;
    public const byte INET_DIAG_BC_D_LE = 5;
    public const byte INET_DIAG_BC_S_COND = 7;
    public const byte INET_DIAG_BC_D_COND = 8;
    public const byte INET_DIAG_BC_DEV_COND = 9;
    public const byte INET_DIAG_BC_MARK_COND = 10;
    public const byte INET_DIAG_BC_CGROUP_COND = 13;
}

/// <summary>
/// The __be32[4] of inet_diag: an address in network byte order, 16 bytes. An AF_INET socket has its IPv4 address in the first four
/// bytes, an AF_INET6 socket after <c>::ffff:</c>.
/// </summary>
[InlineArray(16)]
internal struct Address
{
    private byte _first;

    /// <summary>Whether the address is <c>::ffff:a.b.c.d</c>.</summary>
    public readonly bool IsMappedIPv4
    {
        get
        {
            ReadOnlySpan<byte> bytes = Bytes(in this);
            return MemoryMarshal.Read<ulong>(bytes) == 0 && BinaryPrimitives.ReadUInt32BigEndian(bytes[8..]) == 0xffff;
        }
    }

    /// <summary>Whether the address is in <c>fe80::/10</c>.</summary>
    public readonly bool IsLinkLocalIPv6 => this[0] == 0xfe && (this[1] & 0xc0) == 0x80;

    /// <summary>The address with IPv4 as <c>::ffff:a.b.c.d</c>.</summary>
    /// <param name="family">The family of the socket that has the address.</param>
    public static Address ToMapped(ref readonly Address address, int family)
    {
        if (family != Socket.AF_INET)
        {
            return address;
        }

        Address mapped = default;
        mapped[10] = mapped[11] = 0xff;
        Bytes(in address)[..4].CopyTo(mapped[12..]);
        return mapped;
    }

    /// <summary>The 16 bytes of the address.</summary>
    public static ReadOnlySpan<byte> Bytes(ref readonly Address address) =>
        MemoryMarshal.CreateReadOnlySpan(ref Unsafe.As<Address, byte>(ref Unsafe.AsRef(in address)), 16);
}

/// <summary>
/// struct inet_diag_sockid (linux/inet_diag.h), 48 bytes. Ports and addresses are in network byte order, the interface
/// index and the cookie in host byte order. The cookie is two u32 in C: a ulong would be aligned to 8 bytes and pad the messages.
/// </summary>
[StructLayout(LayoutKind.Sequential, Pack = 4)]
internal struct InetDiagSockId
{
    public ushort SourcePort;
    public ushort DestinationPort;
    public Address Source;
    public Address Destination;
    public uint Interface;
    public uint CookieLow;
    public uint CookieHigh;

    public ulong Cookie
    {
        readonly get => CookieLow | (ulong)CookieHigh << 32;
        set => (CookieLow, CookieHigh) = ((uint)value, (uint)(value >> 32));
    }
}

/// <summary>struct inet_diag_req_v2 (linux/inet_diag.h), 56 bytes.</summary>
[StructLayout(LayoutKind.Sequential, Pack = 4)]
internal struct InetDiagReqV2
{
    public byte SdiagFamily;
    public byte SdiagProtocol;

    /// <summary>The requested extensions: bit <c>1 &lt;&lt; (INET_DIAG_x - 1)</c>.</summary>
    public byte IdiagExt;
    public byte Pad;

    /// <summary>The requested states: bit <c>1 &lt;&lt; state</c>.</summary>
    public uint IdiagStates;
    public InetDiagSockId Id;
}

/// <summary>struct inet_diag_req (linux/inet_diag.h), 60 bytes: the body of a TCPDIAG_GETSOCK request.</summary>
[StructLayout(LayoutKind.Sequential, Pack = 4)]
internal struct InetDiagReq
{
    /// <summary>Ignored by a dump, which lists both families.</summary>
    public byte IdiagFamily;
    public byte IdiagSrcLen;
    public byte IdiagDstLen;
    public byte IdiagExt;
    public InetDiagSockId Id;
    public uint IdiagStates;
    public uint IdiagDbs;
}

/// <summary>struct inet_diag_msg (linux/inet_diag.h), 72 bytes: one socket of a dump. Its attributes follow.</summary>
[StructLayout(LayoutKind.Sequential, Pack = 4)]
internal struct InetDiagMsg
{
    public byte IdiagFamily;
    public byte IdiagState;
    public byte IdiagTimer;
    public byte IdiagRetrans;
    public InetDiagSockId Id;

    /// <summary>Milliseconds until the timer expires.</summary>
    public uint IdiagExpires;

    /// <summary>Bytes received but not read; for a listener, connections not yet accepted.</summary>
    public uint IdiagRqueue;

    /// <summary>Bytes written but not acknowledged; for a listener, the backlog.</summary>
    public uint IdiagWqueue;
    public uint IdiagUid;

    /// <summary>0: no process has the socket open (TIME_WAIT, orphans, connections not yet accepted).</summary>
    public uint IdiagInode;
}

/// <summary>
/// struct inet_diag_bc_op (linux/inet_diag.h), 4 bytes. Both branches are offsets in bytes from this op. A port op is followed by a
/// second one whose <see cref="No"/> is the port in host byte order.
/// </summary>
internal struct InetDiagBcOp
{
    public byte Code;
    public byte Yes;
    public ushort No;
}

/// <summary>struct inet_diag_hostcond (linux/inet_diag.h), 8 bytes. The address follows in network byte order (4 or 16 bytes).</summary>
internal struct InetDiagHostCond
{
    public byte Family;

    /// <summary>The number of significant bits of the address; 0 with a family: any address of the family.</summary>
    public byte PrefixLen;

    /// <summary>The port in host byte order; -1: any.</summary>
    public int Port;
}
