using System.Diagnostics;
using TcpCloser.Lab.Interop;

namespace TcpCloser.Lab;

/// <summary>Waiting for a condition, bounded, so that a mistake ends in a message and not in a hang.</summary>
internal static unsafe class Wait
{
    /// <summary>Longer than anything takes here, even on a crowded machine.</summary>
    internal const int LimitMs = 20_000;

    internal static void Until(Func<bool> condition, string what)
    {
        if (!For(condition, LimitMs))
        {
            throw new LabException($"waited {LimitMs} ms in vain for {what}");
        }
    }

    /// <summary>True as soon as the condition holds, false when the time is over.</summary>
    internal static bool For(Func<bool> condition, int milliseconds)
    {
        const int SpinMs = 2;
        const int MaxPauseMs = 20;
        long start = Stopwatch.GetTimestamp();
        int pause = 0;
        while (!condition())
        {
            double elapsed = Stopwatch.GetElapsedTime(start).TotalMilliseconds;
            if (elapsed >= milliseconds)
            {
                return false;
            }

            if (elapsed > SpinMs)
            {
                pause = Math.Min(pause + 1, MaxPauseMs);
            }

            _ = Libc.Poll(null, 0, pause);
        }
        return true;
    }
}
