using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using TcpCloser.Interop;

namespace TcpCloser.Diag;

/// <summary>What a dump attaches to a socket, found in one walk.</summary>
internal readonly ref struct SocketAttributes
{
    /// <summary>tcp_info as long as this kernel has it; empty: none.</summary>
    public readonly ReadOnlySpan<byte> Info;

    /// <summary>SO_MARK; null: not told.</summary>
    public readonly uint? Mark;

    /// <summary>The id of its cgroup v2; null: not told.</summary>
    public readonly ulong? CgroupId;

    /// <summary>Whether it is a subflow of an MPTCP connection.</summary>
    public readonly bool IsMptcp;

    public SocketAttributes(ReadOnlySpan<byte> attributes)
    {
        var walk = new NetlinkAttributes(attributes);
        while (walk.Next())
        {
            ReadOnlySpan<byte> value = walk.Value;
            switch (walk.Type)
            {
                case SockDiag.INET_DIAG_INFO:
                    Info = value;
                    break;
                case SockDiag.INET_DIAG_MARK when value.Length >= sizeof(uint):
                    Mark = MemoryMarshal.Read<uint>(value);
                    break;
                case SockDiag.INET_DIAG_CGROUP_ID when value.Length >= sizeof(ulong):
                    CgroupId = MemoryMarshal.Read<ulong>(value);
                    break;
                case SockDiag.INET_DIAG_ULP_INFO:
                    IsMptcp = IsNamedMptcp(value);
                    break;
            }
        }
    }

    private static bool IsNamedMptcp(ReadOnlySpan<byte> nested) =>
        nested.Length > Unsafe.SizeOf<NlAttr>()
        && MemoryMarshal.Read<NlAttr>(nested).Type == SockDiag.INET_ULP_INFO_NAME
        && nested[Unsafe.SizeOf<NlAttr>()..].StartsWith("mptcp"u8);
}
