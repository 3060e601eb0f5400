using System.Runtime.InteropServices;
using TcpCloser.Interop;

namespace TcpCloser;

/// <summary>A timerfd(2) that fires every interval, counted from its creation, so that rounds do not drift.</summary>
internal sealed unsafe class IntervalTimer : IDisposable
{
    private readonly int _fd;

    /// <exception cref="SystemCallException">No descriptors left.</exception>
    public IntervalTimer(TimeSpan interval)
    {
        _fd = Poll.timerfd_create(Poll.CLOCK_MONOTONIC, Poll.TFD_CLOEXEC | Poll.TFD_NONBLOCK);
        var spec = new ITimerSpec
        {
            IntervalSeconds = (long)interval.TotalSeconds,
            IntervalNanoseconds = interval.Ticks % TimeSpan.TicksPerSecond * 100,
        };
        (spec.ValueSeconds, spec.ValueNanoseconds) = (spec.IntervalSeconds, spec.IntervalNanoseconds);
        if (_fd < 0 || Poll.timerfd_settime(_fd, 0, &spec, null) < 0)
        {
            throw new SystemCallException(Operation.StartTimer, Marshal.GetLastPInvokeError());
        }
    }

    /// <summary>Waits for the next tick; those missed meanwhile count as one. Returns false where it is time to stop instead.</summary>
    /// <param name="signals">What asks to stop.</param>
    /// <param name="betweenWaits">What is done whenever a signal has arrived.</param>
    public bool Wait(IStopSource signals, Action betweenWaits)
    {
        PollFd* fds = stackalloc PollFd[2];
        fds[0] = new PollFd { Fd = _fd, Events = Poll.POLLIN };
        fds[1] = new PollFd { Fd = signals.Descriptor, Events = Poll.POLLIN };
        while (!signals.StopRequested())
        {
            betweenWaits();
            ulong ticks;
            if (Unistd.read(_fd, &ticks, sizeof(ulong)) == sizeof(ulong))
            {
                return true;
            }

            _ = Poll.poll(fds, 2, signals.LongestWaitMs);
        }

        return false;
    }

    public void Dispose() => _ = Unistd.close(_fd);
}
