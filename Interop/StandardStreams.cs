using System.Runtime.InteropServices;

namespace TcpCloser.Interop;

/// <summary>Descriptors 0 to 2.</summary>
internal static unsafe class StandardStreams
{
    /// <summary>Whether stderr was closed when the program started: what goes there is not wanted, and not an error.</summary>
    public static bool StderrWasClosed { get; private set; }

    /// <summary>
    /// Puts something behind each that is closed, so that no socket and no log file gets its number: a log line would then
    /// go into a netlink socket. Has to be called before anything is opened. What fills them cannot be written to.
    /// </summary>
    public static void FillClosed()
    {
        for (int fd = Unistd.STDIN_FILENO; fd <= Unistd.STDERR_FILENO; fd++)
        {
            if (Fcntl.fcntl(fd, Fcntl.F_GETFD, 0) >= 0)
            {
                continue;
            }

            // open(2) takes the lowest number that is free: this one.
            if (Fcntl.Open(Fcntl.AT_FDCWD, "/dev/null\0"u8, Fcntl.O_RDONLY) < 0)
            {
                _ = Fcntl.Open(Fcntl.AT_FDCWD, "/\0"u8, Fcntl.O_PATH);
            }

            StderrWasClosed |= fd == Unistd.STDERR_FILENO;
        }
    }

    /// <summary>Writes all of the text. Returns 0 or the errno of write(2).</summary>
    public static int Write(int fd, ReadOnlySpan<byte> text)
    {
        fixed (byte* p = text)
        {
            int done = 0;
            while (done < text.Length)
            {
                nint written = Unistd.write(fd, p + done, (nuint)(text.Length - done));
                if (written >= 0)
                {
                    done += (int)written;
                    continue;
                }

                int errno = Marshal.GetLastPInvokeError();
                if (errno == Errno.EAGAIN)
                {
                    // Somebody made the pipe or terminal non-blocking for us too.
                    var ready = new PollFd { Fd = fd, Events = Poll.POLLOUT };
                    _ = Poll.poll(&ready, 1, -1);
                }
                else if (errno != Errno.EINTR)
                {
                    return errno;
                }
            }
        }

        return 0;
    }
}
