namespace TcpCloser.Interop;

/// <summary>Descriptors 0 to 2.</summary>
internal static class StandardStreams
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
}
