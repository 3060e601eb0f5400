using System.Runtime.InteropServices;

namespace TcpCloser.Interop;

/// <summary>struct ifreq (net/if.h), 40 bytes: the device's name, then a union of which the index is used.</summary>
[StructLayout(LayoutKind.Explicit, Size = 40)]
internal unsafe struct IfReq
{
    [FieldOffset(0)]
    public fixed byte Name[NetIf.IFNAMSIZ];

    [FieldOffset(16)]
    public int Index;
}
