using System.Runtime.InteropServices;

namespace TcpCloser.Interop;

/// <summary>struct statx (linux/stat.h), 256 bytes; only what is read here has a name.</summary>
[StructLayout(LayoutKind.Explicit, Size = 256)]
internal struct Statx
{
    [FieldOffset(32)]
    public ulong Inode;
}
