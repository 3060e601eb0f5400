using System.Runtime.InteropServices;

namespace TcpCloser.Lab.Interop;

/// <summary>struct msghdr (recvmsg(2)), 56 bytes on 64-bit machines.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct MsgHdr
{
    internal void* Name;
    internal uint NameLength;
    internal IoVec* Vectors;
    internal nuint VectorCount;
    internal void* Control;
    internal nuint ControlLength;
    internal int Flags;
}
