namespace TcpCloser.KernelTests.Harness;

/// <summary>Waits for a condition. The limit exists only so that a failing test ends.</summary>
internal static class Until
{
    private static readonly TimeSpan s_limit = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan s_pause = TimeSpan.FromMilliseconds(5);

    /// <param name="condition">What to wait for.</param>
    /// <param name="what">Its name for the message.</param>
    /// <param name="limit">Where a minute is too short; null: a minute.</param>
    internal static void True(Func<bool> condition, string what, TimeSpan? limit = null)
    {
        long start = Stopwatch.GetTimestamp();
        while (!condition())
        {
            if (Stopwatch.GetElapsedTime(start) > (limit ?? s_limit))
            {
                throw new TimeoutException($"waited {limit ?? s_limit} for {what}");
            }

            Thread.Sleep(s_pause);
        }
    }
}
