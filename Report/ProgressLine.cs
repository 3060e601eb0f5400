using System.Text;
using TcpCloser.Diag;
using TcpCloser.Interop;
using TcpCloser.Kill;
using TcpCloser.Proc;
using TcpCloser.Rules;

namespace TcpCloser.Report;

/// <summary>
/// The progress of a run, on a terminal: one line on stderr that is rewritten in place and cleared before anything else is written there.
/// It has to be the first observer, so that it is cleared before the log writes. No escape sequences: spaces overwrite the old text.
/// </summary>
internal sealed class ProgressLine : IObserver
{
    /// <summary>The shortest time between two updates.</summary>
    private const long IntervalMs = 200;

    /// <summary>Operations that end within this time show no progress.</summary>
    private const long FirstMs = 1_000;

    /// <summary>Fits a terminal of 80 columns without wrapping.</summary>
    private const int MaxLength = 79;

    private readonly OutputStream _stderr;
    private long _begunAt = MonotonicClock.Instance.NowMs;
    private long _shownAt;
    private int _length;

    private ProgressLine(OutputStream stderr) => _stderr = stderr;

    /// <summary>Returns null if stderr is not a terminal.</summary>
    public static ProgressLine? OnTerminal(StallPolicy stalls) =>
        Unistd.isatty(Unistd.STDERR_FILENO) == 1 ? new ProgressLine(new OutputStream(Unistd.STDERR_FILENO, stalls)) : null;

    public void Begin(RoundContext round) => _begunAt = MonotonicClock.Instance.NowMs;

    public void Progress(Func<string> describe)
    {
        long now = MonotonicClock.Instance.NowMs;
        if (now - _begunAt >= FirstMs && now - _shownAt >= IntervalMs)
        {
            _shownAt = now;
            string text = describe();
            text = text.Length > MaxLength ? text[..MaxLength] : text;
            Write("\r" + text.PadRight(_length));
            _length = text.Length;
        }
    }

    public void Completed(ConnectionList connections, int index) => Clear();

    public void WouldClose(ConnectionList candidates, ICloseMethod method) => Clear();

    public void Signalled(SocketHolder process, int signal) => Clear();

    public void Message(Level level, string text) => Clear();

    /// <summary>The log writes its buffered lines next.</summary>
    public void Flush() => Clear();

    public void End(ExitStatus status, Counts counts, TimeSpan time, bool isQuiet) => Clear();

    private void Clear()
    {
        if (_length > 0)
        {
            Write("\r" + new string(' ', _length) + "\r");
            _length = 0;
        }
    }

    private void Write(string text) => _ = _stderr.Write(Encoding.UTF8.GetBytes(text));
}
