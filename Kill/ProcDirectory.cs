using TcpCloser.Interop;

namespace TcpCloser.Kill;

/// <summary>/proc, open, and sure to be that of this pid namespace.</summary>
internal sealed unsafe class ProcDirectory : IDisposable
{
    /// <exception cref="SystemCallException">It is not there, or shows the processes of another pid namespace, whose ids mean others here.</exception>
    public ProcDirectory()
    {
        Descriptor = ProcFile.OpenDirectory(Fcntl.AT_FDCWD, "/proc\0"u8);
        if (Descriptor < 0)
        {
            throw new SystemCallException("opening /proc, where the owners of sockets are found (mount -t proc proc /proc)", -Descriptor);
        }

        if (!ShowsThisProcess())
        {
            Dispose();
            throw new SystemCallException(
                "using /proc: it is not a procfs of this pid namespace, so its process ids would mean other processes", Errno.ESRCH);
        }
    }

    public int Descriptor { get; }

    public void Dispose() => _ = Unistd.close(Descriptor);

    private bool ShowsThisProcess()
    {
        Span<byte> link = stackalloc byte[16];
        Span<byte> pid = stackalloc byte[16];
        nint length;
        fixed (byte* path = "self\0"u8)
        fixed (byte* target = link)
        {
            length = Unistd.readlinkat(Descriptor, path, target, (nuint)link.Length);
        }

        return length > 0 && link[..(int)length].SequenceEqual(pid[..ProcPath.Number(pid, Unistd.getpid())]);
    }
}
