using System.Runtime.InteropServices;

namespace TcpCloser.Interop;

/// <summary>time.h.</summary>
internal static unsafe partial class Time
{
    [LibraryImport("libc")]
    public static partial Tm* localtime_r(long* timep, Tm* result);
}
