using System.Diagnostics;

namespace TcpCloser.KernelTests.Harness;

/// <summary>Waiting for a condition. The limit is only there so that a failing test ends.</summary>
internal static class Until
{
    private static readonly TimeSpan s_limit = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan s_pause = TimeSpan.FromMilliseconds(5);

    internal static void True(Func<bool> condition, string what)
    {
        long start = Stopwatch.GetTimestamp();
        while (!condition())
        {
            if (Stopwatch.GetElapsedTime(start) > s_limit)
            {
                throw new TimeoutException($"waited {s_limit} for {what}");
            }

            Thread.Sleep(s_pause);
        }
    }
}
