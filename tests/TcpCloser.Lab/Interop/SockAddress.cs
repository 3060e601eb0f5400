namespace TcpCloser.Lab.Interop;

/// <summary>
/// struct sockaddr_in (16 bytes) or sockaddr_in6 (28 bytes) in one; the family distinguishes them. The port and the address are in
/// network byte order.
/// </summary>
[StructLayout(LayoutKind.Explicit, Size = 32)]
internal unsafe struct SockAddress
{
    [FieldOffset(0)] internal ushort Family;
    [FieldOffset(2)] private ushort _port;
    [FieldOffset(4)] private fixed byte _v4[4];
    [FieldOffset(8)] private fixed byte _v6[16];
    [FieldOffset(24)] private uint _scope;

    internal readonly uint Length => Family == Posix.AF_INET6 ? 28u : 16u;

    /// <summary>An address for a socket of either family: an IPv4 address becomes <c>::ffff:a.b.c.d</c> for an IPv6 socket.</summary>
    internal static SockAddress For(bool v6Socket, IPAddress address, int port)
    {
        SockAddress result = default;
        result._port = (ushort)IPAddress.HostToNetworkOrder((short)port);
        byte[] bytes = (v6Socket ? address.MapToIPv6() : address).GetAddressBytes();
        result.Family = v6Socket ? (ushort)Posix.AF_INET6 : (ushort)Posix.AF_INET;
        result._scope = v6Socket && address.IsIPv6LinkLocal ? (uint)address.ScopeId : 0;
        bytes.CopyTo(v6Socket ? new Span<byte>(result._v6, 16) : new Span<byte>(result._v4, 4));
        return result;
    }

    internal Endpoint ToEndpoint()
    {
        int port = (ushort)IPAddress.NetworkToHostOrder((short)_port);
        fixed (byte* v4 = _v4, v6 = _v6)
        {
            var address = Family == Posix.AF_INET6
                ? new IPAddress(new ReadOnlySpan<byte>(v6, 16))
                : new IPAddress(new ReadOnlySpan<byte>(v4, 4));
            return new Endpoint(address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address, port);
        }
    }
}
