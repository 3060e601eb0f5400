using System.Diagnostics;
using System.Runtime.InteropServices;
using TcpCloser.Interop;
using TcpCloser.Rules;

namespace TcpCloser.Report;

/// <summary>
/// Writes to a descriptor that other processes may share, and whose reader may stall (less(1), a FIFO). O_NONBLOCK would affect those
/// processes as well. Instead, poll(2) reports whether there is room, and then a write of at most PIPE_BUF does not block.
/// </summary>
internal sealed unsafe class OutputStream(int fd, StallPolicy stalls)
{
    /// <summary>PIPE_BUF (limits.h): a pipe that polls as writable accepts that many bytes.</summary>
    private const int MaxWrite = 4096;

    private bool _stalled;
    private TimeSpan _afterSignal;

    public int Descriptor { get; set; } = fd;

    /// <summary>The errno of the first write(2) that failed; 0: none failed.</summary>
    public int Errno { get; private set; }

    /// <summary>The number of lines that were lost because the reader stalled for too long.</summary>
    public long Lost { get; private set; }

    /// <summary>The part of <see cref="Lost"/> that <see cref="TakeLost"/> has not returned yet.</summary>
    public long UnreportedLost { get; private set; }

    /// <summary>Writes lines, each of which ends with a newline. Returns 0 or the errno of write(2).</summary>
    public int Write(ReadOnlySpan<byte> lines)
    {
        while (!lines.IsEmpty)
        {
            if (!HasRoom())
            {
                int lost = lines.Count((byte)'\n');
                Lost += lost;
                UnreportedLost += lost;
                return 0;
            }

            int length = LengthOfWrite(lines);
            int errno = WriteAll(lines[..length]);
            if (errno != 0)
            {
                Errno = Errno == 0 ? errno : Errno;
                return errno;
            }

            lines = lines[length..];
        }

        return 0;
    }

    /// <summary>Returns and resets the number of lost lines; 0 while the reader is still stalled.</summary>
    public long TakeLost()
    {
        if (UnreportedLost == 0 || !StallPolicy.IsReady(Descriptor))
        {
            return 0;
        }

        long unreported = UnreportedLost;
        UnreportedLost = 0;
        return unreported;
    }

    /// <summary>After a wait that timed out, returns at once until there is room again.</summary>
    private bool HasRoom()
    {
        bool room = _stalled ? StallPolicy.IsReady(Descriptor) : stalls.Wait(Descriptor, ref _afterSignal);
        _stalled = !room;
        return room;
    }

    /// <summary>The length up to the end of the last line that fits, so that lines are lost as a whole.</summary>
    private static int LengthOfWrite(ReadOnlySpan<byte> lines)
    {
        if (lines.Length <= MaxWrite)
        {
            return lines.Length;
        }

        int end = lines[..MaxWrite].LastIndexOf((byte)'\n') + 1;
        return end > 0 ? end : MaxWrite;
    }

    /// <summary>Returns 0 or the errno.</summary>
    private int WriteAll(ReadOnlySpan<byte> text)
    {
        fixed (byte* p = text)
        {
            int done = 0;
            while (done < text.Length)
            {
                nint written = Unistd.write(Descriptor, p + done, (nuint)(text.Length - done));
                if (written >= 0)
                {
                    done += (int)written;
                    continue;
                }

                int errno = Marshal.GetLastPInvokeError();
                if (errno == Interop.Errno.EAGAIN)
                {
                    // Another process set O_NONBLOCK, and another writer filled the pipe first.
                    if (!stalls.Wait(Descriptor, ref _afterSignal))
                    {
                        return errno;
                    }
                }
                else if (errno != Interop.Errno.EINTR)
                {
                    return errno;
                }
            }
        }

        return 0;
    }
}

/// <summary>
/// How long output waits for a stalled reader: a single run until a signal asks it to stop, a service for a second. After the signal,
/// each output still waits for a quarter of a second, so that a reader that is only slow gets the last lines.
/// </summary>
/// <param name="limit">The longest wait; null: no limit.</param>
internal sealed unsafe class StallPolicy(TimeSpan? limit)
{
    private static readonly TimeSpan s_afterSignal = TimeSpan.FromMilliseconds(250);

    /// <summary>Also ends the wait; null: signals still have their default action, which ends the process.</summary>
    public IStopSource? Stop { get; set; }

    /// <summary>Whether a write would not block now. A descriptor on which a write would fail is ready, so that the write reports the error.</summary>
    public static bool IsReady(int fd)
    {
        var output = new PollFd { Fd = fd, Events = Poll.POLLOUT };
        return Poll.poll(&output, 1, 0) > 0;
    }

    /// <summary>Waits until a write would not block. Returns false on a timeout.</summary>
    /// <param name="afterSignal">The time that this output has already waited since a signal asked to stop.</param>
    public bool Wait(int fd, ref TimeSpan afterSignal)
    {
        if (IsReady(fd))
        {
            return true;
        }

        long started = Stopwatch.GetTimestamp();
        PollFd* fds = stackalloc PollFd[2];
        while (TimeLeft(started, afterSignal, out bool signalled) is var left and not 0)
        {
            long waiting = Stopwatch.GetTimestamp();
            fds[0] = new PollFd { Fd = fd, Events = Poll.POLLOUT };
            fds[1] = new PollFd { Fd = Stop?.Descriptor ?? -1, Events = Poll.POLLIN };

            // The watchdog is pinged during a long wait. No limit is -1, which is the highest unsigned number.
            int ready = Poll.poll(fds, 2, (int)Math.Min((uint)left, (uint)(Stop?.MaxWaitMs ?? -1)));
            afterSignal += signalled ? Stopwatch.GetElapsedTime(waiting) : TimeSpan.Zero;
            if (ready > 0 && fds[0].Revents != 0)
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>The time left for a wait that began at that time, in milliseconds; -1: no limit.</summary>
    private int TimeLeft(long started, TimeSpan afterSignal, out bool signalled)
    {
        TimeSpan? left = limit - Stopwatch.GetElapsedTime(started);
        signalled = Stop is not null && Stop.StopRequested();
        if (signalled)
        {
            TimeSpan last = s_afterSignal - afterSignal;
            left = left < last ? left : last;
        }

        return left is null ? -1 : Math.Max((int)left.Value.TotalMilliseconds, 0);
    }
}

/// <summary>
/// Reports once, in the round in which it happens, that stdout could not be written. A reader that stops reading a table, as head(1)
/// does, is not an error; records that end too early are one.
/// </summary>
/// <param name="hasRecords">Whether records are written to stdout.</param>
internal sealed class OutputCheck(OutputStream stdout, Log log, bool hasRecords) : IObserver
{
    private bool _isReported;

    /// <summary>Whether output is missing.</summary>
    public bool Failed => stdout.Errno != 0 && (hasRecords || stdout.Errno != Errno.EPIPE);

    public void End(ExitStatus status, Counts counts, TimeSpan time, bool isQuiet) => Report();

    /// <summary>Reports the failure, once.</summary>
    public void Report()
    {
        if (Failed && !_isReported)
        {
            _isReported = true;
            log.Write(Level.Error, stdout.Errno == Errno.EPIPE
                ? "the reader closed stdout: the records are incomplete"
                : Remedies.Describe(new Failure(Operation.WriteOutput, stdout.Errno)));
            log.Flush();
        }
    }
}

/// <summary>Descriptors 0 to 2.</summary>
internal static class StandardStreams
{
    /// <summary>Whether stderr was closed when the program started: then a failed write to it is not an error.</summary>
    public static bool StderrWasClosed { get; private set; }

    /// <summary>
    /// Opens a placeholder for each closed descriptor, so that no socket and no log file gets its number: log lines would then go into
    /// a netlink socket. Must be called before anything is opened. The placeholders are not writable.
    /// </summary>
    public static void FillClosed()
    {
        for (int fd = Unistd.STDIN_FILENO; fd <= Unistd.STDERR_FILENO; fd++)
        {
            if (Fcntl.fcntl(fd, Fcntl.F_GETFD, 0) >= 0)
            {
                continue;
            }

            // open(2) returns the lowest free number: this one.
            if (Fcntl.Open(Fcntl.AT_FDCWD, "/dev/null\0"u8, Fcntl.O_RDONLY, out _) != 0)
            {
                _ = Fcntl.Open(Fcntl.AT_FDCWD, "/\0"u8, Fcntl.O_PATH, out _);
            }

            StderrWasClosed |= fd == Unistd.STDERR_FILENO;
        }
    }
}
