using System.Runtime.InteropServices;

namespace TcpCloser.Interop;

/// <summary>sys/resource.h.</summary>
internal static unsafe partial class ResourceLimit
{
    private const int RLIMIT_NOFILE = 7;

    /// <summary>struct rlimit: the soft limit and the hard one.</summary>
    [LibraryImport("libc", SetLastError = true)]
    private static partial int getrlimit(int resource, ulong* limits);

    /// <summary>How many descriptors this process may have (RLIMIT_NOFILE); 0 where the kernel does not tell.</summary>
    public static ulong OpenFiles()
    {
        ulong* limits = stackalloc ulong[2];
        return getrlimit(RLIMIT_NOFILE, limits) == 0 ? limits[0] : 0;
    }
}
