using System.Diagnostics;
using TcpCloser.Interop;

namespace TcpCloser.Report;

/// <summary>How long output waits for a reader that stalls: a single run until a signal asks to stop, a service for a second.</summary>
/// <param name="limit">The longest wait; null: none.</param>
internal sealed unsafe class Patience(TimeSpan? limit)
{
    /// <summary>What ends the wait besides; null: signals still have their own action, which ends everything.</summary>
    public IStopSource? Stop { get; set; }

    /// <summary>Whether a write would not block now. A descriptor that no write can succeed on is ready, to say so.</summary>
    public static bool IsReady(int fd)
    {
        var output = new PollFd { Fd = fd, Events = Poll.POLLOUT };
        return Poll.poll(&output, 1, 0) > 0;
    }

    /// <summary>Waits until a write would not block. Returns false where it gave up.</summary>
    public bool Await(int fd)
    {
        if (IsReady(fd))
        {
            return true;
        }

        long started = Stopwatch.GetTimestamp();
        PollFd* fds = stackalloc PollFd[2];
        while (Stop is null || !Stop.StopRequested())
        {
            int timeout = -1;
            if (limit is { } longest)
            {
                timeout = (int)(longest - Stopwatch.GetElapsedTime(started)).TotalMilliseconds;
                if (timeout <= 0)
                {
                    return false;
                }
            }

            fds[0] = new PollFd { Fd = fd, Events = Poll.POLLOUT };
            fds[1] = new PollFd { Fd = Stop?.Descriptor ?? -1, Events = Poll.POLLIN };
            if (Poll.poll(fds, 2, timeout) > 0 && fds[0].Revents != 0)
            {
                return true;
            }
        }

        return false;
    }
}
