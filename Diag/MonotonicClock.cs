using System.Diagnostics;
using TcpCloser.Interop;

namespace TcpCloser.Diag;

/// <summary>The time. It is an interface so that a test can let time pass instantly.</summary>
internal interface IClock
{
    /// <summary>Milliseconds since a fixed time before the start of the program.</summary>
    long NowMs { get; }

    /// <summary>Waits; a signal ends the wait.</summary>
    /// <param name="ms">The maximum wait in milliseconds; 0 or more.</param>
    void Sleep(int ms);
}

/// <summary>CLOCK_MONOTONIC (clock_gettime(2)), which cannot be set.</summary>
internal sealed class MonotonicClock : IClock
{
    private static readonly long s_ticksPerMs = Stopwatch.Frequency / 1_000;

    public static MonotonicClock Instance { get; } = new();

    public long NowMs => Stopwatch.GetTimestamp() / s_ticksPerMs;

    public unsafe void Sleep(int ms) => _ = Poll.poll(null, 0, ms);
}
