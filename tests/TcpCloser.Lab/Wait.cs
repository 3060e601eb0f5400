namespace TcpCloser.Lab;

/// <summary>Waits for a condition, with a limit, so that a defect ends in a message and not in a hang.</summary>
internal static unsafe class Wait
{
    /// <summary>Longer than any condition takes here, even on a loaded machine.</summary>
    internal const int LimitMs = 20_000;

    internal static void Until(Func<bool> condition, string what) =>
        LabException.ThrowIf(!For(condition, LimitMs), $"waited {LimitMs} ms for {what}");

    /// <summary>Returns true as soon as the condition holds, false when the time is over.</summary>
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
