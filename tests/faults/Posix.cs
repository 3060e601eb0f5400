using System.Runtime.InteropServices;

namespace TcpCloser.Faults;

/// <summary>Signals (signal.h).</summary>
internal static partial class Posix
{
    internal const int SIGHUP = 1;
    internal const int SIGTERM = 15;

    [LibraryImport("libc")]
    internal static partial int kill(int pid, int signal);
}
