using System.Diagnostics;
using TcpCloser.Interop;

namespace TcpCloser.Report;

/// <summary>
/// How long output waits for a reader that stalls: a single run until a signal asks to stop, a service for a second. A reader that
/// is only slow gets the last lines, too: from the signal on, a quarter of a second for each output.
/// </summary>
/// <param name="limit">The longest wait; null: none.</param>
internal sealed unsafe class Patience(TimeSpan? limit)
{
    private static readonly TimeSpan s_afterSignal = TimeSpan.FromMilliseconds(250);

    /// <summary>What ends the wait besides; null: signals still have their own action, which ends everything.</summary>
    public IStopSource? Stop { get; set; }

    /// <summary>Whether a write would not block now. A descriptor that no write can succeed on is ready, to say so.</summary>
    public static bool IsReady(int fd)
    {
        var output = new PollFd { Fd = fd, Events = Poll.POLLOUT };
        return Poll.poll(&output, 1, 0) > 0;
    }

    /// <summary>Waits until a write would not block. Returns false where it gave up.</summary>
    /// <param name="fd">What is written to.</param>
    /// <param name="afterSignal">How long this output has been waited for since a signal asked to stop.</param>
    public bool Await(int fd, ref TimeSpan afterSignal)
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
            int ready = Poll.poll(fds, 2, left);
            afterSignal += signalled ? Stopwatch.GetElapsedTime(waiting) : TimeSpan.Zero;
            if (ready > 0 && fds[0].Revents != 0)
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>How much longer a wait may take that began then, in milliseconds; -1: as long as it takes.</summary>
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
