using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using TcpCloser.Interop;
using TcpCloser.Rules;

namespace TcpCloser.Diag;

/// <summary>Builds the messages that request sockets.</summary>
internal static class DumpRequest
{
    /// <summary>
    /// A dump of the selection, with tcp_info. SOCK_DIAG_BY_FAMILY requests IPv6 alone. IPv4 connections may be on sockets of both
    /// families: the older TCPDIAG_GETSOCK lists both in one pass, while the newer request would need two. A single port goes into the
    /// id, which needs no bytecode.
    /// </summary>
    public static byte[] Build(Selection selection, ReadOnlySpan<byte> bytecode)
    {
        var id = new InetDiagSockId
        {
            SourcePort = BinaryPrimitives.ReverseEndianness(selection.SourcePorts?.Single ?? 0),
            DestinationPort = BinaryPrimitives.ReverseEndianness(selection.DestinationPorts?.Single ?? 0),
        };
        const byte Extensions = 1 << (SockDiag.INET_DIAG_INFO - 1);
        const ushort Flags = Netlink.NLM_F_REQUEST | Netlink.NLM_F_DUMP;
        if (selection.Families == Families.IPv6)
        {
            return Message(SockDiag.SOCK_DIAG_BY_FAMILY, Flags, 0, new InetDiagReqV2
            {
                SdiagFamily = Socket.AF_INET6,
                SdiagProtocol = SockDiag.IPPROTO_TCP,
                IdiagExt = Extensions,
                IdiagStates = selection.States,
                Id = id,
            }, SockDiag.INET_DIAG_REQ_BYTECODE, bytecode);
        }

        return Message(SockDiag.TCPDIAG_GETSOCK, Flags, 0, new InetDiagReq
        {
            IdiagFamily = Socket.AF_INET,
            IdiagExt = Extensions,
            IdiagStates = selection.States,
            Id = id,
        }, SockDiag.INET_DIAG_REQ_BYTECODE, bytecode);
    }

    /// <summary>A lookup of one connection by its cookie, with tcp_info.</summary>
    public static byte[] BuildLookup(in Connection connection, uint sequence) =>
        Message(SockDiag.SOCK_DIAG_BY_FAMILY, Netlink.NLM_F_REQUEST, sequence, new InetDiagReqV2
        {
            SdiagFamily = connection.Family,
            SdiagProtocol = SockDiag.IPPROTO_TCP,
            IdiagExt = 1 << (SockDiag.INET_DIAG_INFO - 1),
            IdiagStates = uint.MaxValue,
            Id = connection.Id,
        }, 0, default);

    /// <summary>A dump of the MPTCP connections of a family. The descriptors of their holders have the same cookies.</summary>
    public static byte[] BuildMptcp(byte family)
    {
        uint protocol = SockDiag.IPPROTO_MPTCP;
        return Message(SockDiag.SOCK_DIAG_BY_FAMILY, Netlink.NLM_F_REQUEST | Netlink.NLM_F_DUMP, 0, new InetDiagReqV2
        {
            SdiagFamily = family,
            SdiagProtocol = SockDiag.IPPROTO_TCP,
            IdiagStates = uint.MaxValue,
        }, SockDiag.INET_DIAG_REQ_PROTOCOL, MemoryMarshal.AsBytes(new ReadOnlySpan<uint>(in protocol)));
    }

    /// <summary>Sets the sequence number of a request.</summary>
    public static void SetSequence(Span<byte> request, uint sequence) =>
        MemoryMarshal.AsRef<NlMsgHdr>(request).Sequence = sequence;

    /// <summary>Header, body, and the attribute if its value is not empty.</summary>
    private static byte[] Message<T>(ushort type, ushort flags, uint sequence, in T body, ushort attributeType, ReadOnlySpan<byte> value)
        where T : unmanaged
    {
        int bodyEnd = Unsafe.SizeOf<NlMsgHdr>() + Unsafe.SizeOf<T>();
        int attribute = value.IsEmpty ? 0 : Unsafe.SizeOf<NlAttr>() + value.Length;
        var message = new byte[bodyEnd + Netlink.Align(attribute)];
        var header = new NlMsgHdr { Length = (uint)message.Length, Type = type, Flags = flags, Sequence = sequence };
        MemoryMarshal.Write(message, in header);
        MemoryMarshal.Write(message.AsSpan(Unsafe.SizeOf<NlMsgHdr>()), in body);
        if (attribute > 0)
        {
            var attributeHeader = new NlAttr { Length = (ushort)attribute, Type = attributeType };
            MemoryMarshal.Write(message.AsSpan(bodyEnd), in attributeHeader);
            value.CopyTo(message.AsSpan(bodyEnd + Unsafe.SizeOf<NlAttr>()));
        }

        return message;
    }
}
