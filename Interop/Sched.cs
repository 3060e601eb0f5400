using System.Runtime.InteropServices;

namespace TcpCloser.Interop;

/// <summary>sched.h.</summary>
internal static partial class Sched
{
    public const int CLONE_NEWNET = 0x40000000;

    /// <summary>Moves the calling thread into a namespace (setns(2)).</summary>
    [LibraryImport("libc", SetLastError = true)]
    public static partial int setns(int fd, int nstype);
}
