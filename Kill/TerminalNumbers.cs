using System.Buffers.Text;
using TcpCloser.Interop;
using TcpCloser.Proc;

namespace TcpCloser.Kill;

/// <summary>The terminals that a process has open, as /proc/PID/stat numbers them (tty_nr).</summary>
internal static class TerminalNumbers
{
    /// <summary>UNIX98_PTY_SLAVE_MAJOR (linux/major.h); 256 pseudo-terminals to a major number.</summary>
    private const int PtyMajor = 136;

    /// <summary>TTY_MAJOR.</summary>
    private const int ConsoleMajor = 4;

    /// <summary>Adds those in an open folder of descriptors. Returns 0, or the errno where there may be more.</summary>
    public static int Add(IProcessTable table, int folder, HashSet<int> numbers)
    {
        var fds = new List<int>();
        Span<byte> target = stackalloc byte[32];
        int errno = table.ListDescriptors(folder, fds);
        foreach (int fd in fds)
        {
            int length = table.ReadDescriptor(folder, fd, target);
            if (length > 0 && NumberOf(target[..length]) is { } number)
            {
                numbers.Add(number);
            }

            errno = length < 0 && length != -Errno.ENOENT ? -length : errno;
        }

        return errno;
    }

    private static int? NumberOf(ReadOnlySpan<byte> path) =>
        TryNumber(path, "/dev/pts/"u8, out int pty) ? PtyMajor + pty / 256 << 8 | pty % 256
        : TryNumber(path, "/dev/tty"u8, out int console) ? ConsoleMajor << 8 | console
        : null;

    private static bool TryNumber(ReadOnlySpan<byte> path, ReadOnlySpan<byte> prefix, out int number)
    {
        number = 0;
        return path.StartsWith(prefix) && Utf8Parser.TryParse(path[prefix.Length..], out number, out int used) && used == path.Length - prefix.Length;
    }
}
