using System.Runtime.InteropServices;

namespace TcpCloser.Interop;

/// <summary>struct statx (linux/stat.h), 256 bytes; only what is read here has a name.</summary>
[StructLayout(LayoutKind.Explicit, Size = 256)]
internal struct Statx
{
    [FieldOffset(20)]
    public uint Uid;

    /// <summary>The type and the permissions, as in st_mode.</summary>
    [FieldOffset(28)]
    public ushort Mode;

    [FieldOffset(32)]
    public ulong Inode;

    [FieldOffset(40)]
    public ulong Size;

    [FieldOffset(136)]
    public uint DeviceMajor;

    [FieldOffset(140)]
    public uint DeviceMinor;
}
