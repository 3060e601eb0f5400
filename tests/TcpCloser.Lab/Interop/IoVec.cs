using System.Runtime.InteropServices;

namespace TcpCloser.Lab.Interop;

/// <summary>struct iovec (readv(2)), 16 bytes on 64-bit machines.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct IoVec
{
    internal void* Base;
    internal nuint Length;
}
