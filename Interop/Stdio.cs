using System.Runtime.InteropServices;

namespace TcpCloser.Interop;

/// <summary>stdio.h.</summary>
internal static unsafe partial class Stdio
{
    [LibraryImport("libc", SetLastError = true)]
    public static partial int renameat(int olddirfd, byte* oldpath, int newdirfd, byte* newpath);
}
