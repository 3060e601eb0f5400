using System.Diagnostics;
using TcpCloser.Cli;
using TcpCloser.Interop;

namespace TcpCloser.Report;

/// <summary>
/// Tells the service manager how the service is (sd_notify(3)). That it is ready is told with every round: a datagram may be
/// lost, for none is waited for.
/// </summary>
/// <param name="socket">Where it is told.</param>
/// <param name="watchdog">The manager ends a service that has been silent for this long; null: it does not.</param>
internal sealed class SystemdNotifier(NotifySocket socket, TimeSpan? watchdog) : IObserver, IDisposable
{
    private readonly TextBuffer _text = new();
    private readonly TimeSpan? _pingEvery = watchdog / 2;
    private long _pingedAt;
    private long _rounds;

    /// <summary>How long a wait may take at most before <see cref="Progress"/> is called again, in milliseconds; -1: any time.</summary>
    public int UntilPingMs => UntilPing is { } time ? (int)Math.Ceiling(Math.Max(time.TotalMilliseconds, 0)) : -1;

    private TimeSpan? UntilPing => _pingedAt == 0 ? _pingEvery * 0 : _pingEvery - Stopwatch.GetElapsedTime(_pingedAt);

    /// <summary>The one that the environment names; null: no service manager listens.</summary>
    public static SystemdNotifier? FromEnvironment() =>
        Environment.GetEnvironmentVariable("NOTIFY_SOCKET") is { Length: > 0 } name
            ? new SystemdNotifier(new NotifySocket(name),
                Watchdog(Environment.GetEnvironmentVariable("WATCHDOG_USEC"), Environment.GetEnvironmentVariable("WATCHDOG_PID")))
            : null;

    /// <summary>Is called wherever a round or a wait goes on. What hangs does not get here, and the watchdog finds it.</summary>
    public void Progress()
    {
        if (UntilPing <= TimeSpan.Zero)
        {
            _pingedAt = Stopwatch.GetTimestamp();
            _ = socket.Send("WATCHDOG=1"u8);
        }
    }

    /// <summary>Does what SIGHUP asks for, and tells when it begins and ends.</summary>
    public void Reload(Action reload)
    {
        bool isReady = _rounds > 0;
        if (isReady)
        {
            _text.Clear();
            Send(_text.Add("RELOADING=1\nMONOTONIC_USEC="u8).Add((ulong)(Stopwatch.GetTimestamp() / (Stopwatch.Frequency / 1_000_000))));
        }

        reload();
        if (isReady)
        {
            _ = socket.Send("READY=1"u8);
        }
    }

    public void End(ExitStatus status, Counts counts, TimeSpan time, bool isQuiet)
    {
        // A service whose first round shows that nothing is possible ends.
        if (_rounds > 0 || status != ExitStatus.NotPossible)
        {
            _rounds++;
            _text.Clear();
            _text.Add("READY=1\nSTATUS=round "u8).Add((ulong)_rounds).Add(" "u8).Add(ExitStatusName.Of(status)).Add(": "u8);
            Send(counts.Write(_text));
        }
    }

    public void Totals(Counts totals, long rounds, TimeSpan time)
    {
        _text.Clear();
        Send(totals.Write(_text.Add("STATUS=after "u8).Add((ulong)rounds).Add(" rounds: "u8)));
    }

    /// <summary>Tells that the service ends.</summary>
    public void Dispose()
    {
        _ = socket.Send("STOPPING=1"u8);
        socket.Dispose();
    }

    /// <summary>What WATCHDOG_USEC says, where it is meant for this process; null: there is no watchdog.</summary>
    private static TimeSpan? Watchdog(string? usec, string? pid) =>
        (string.IsNullOrEmpty(pid) || pid == Unistd.getpid().ToString())
            && Digits.TryParse(usec, int.MaxValue * 1000ul, out ulong microseconds) && microseconds > 0
            ? TimeSpan.FromMicroseconds(microseconds)
            : null;

    private void Send(TextBuffer text) => _ = socket.Send(text.Written);
}
