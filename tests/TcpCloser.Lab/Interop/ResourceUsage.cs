using System.Runtime.InteropServices;

namespace TcpCloser.Lab.Interop;

/// <summary>struct rusage (getrusage(2)), 144 bytes on 64-bit machines; the times are seconds and microseconds.</summary>
[StructLayout(LayoutKind.Sequential, Size = 144)]
internal struct ResourceUsage
{
    internal long UserSeconds;
    internal long UserMicroseconds;
    internal long SystemSeconds;
    internal long SystemMicroseconds;

    /// <summary>KiB.</summary>
    internal long MaxRss;
}
