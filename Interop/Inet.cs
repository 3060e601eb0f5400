using System.Runtime.InteropServices;

namespace TcpCloser.Interop;

/// <summary>arpa/inet.h.</summary>
internal static unsafe partial class Inet
{
    [LibraryImport("libc")]
    public static partial int inet_pton(int af, byte* src, Address* dst);

    [LibraryImport("libc")]
    public static partial byte* inet_ntop(int af, Address* src, byte* dst, uint size);
}
