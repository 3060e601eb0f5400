using System.Diagnostics;
using System.Text;

namespace TcpCloser.Tests.Report;

/// <summary>Output to a reader that is slow, stalled or gone.</summary>
public sealed class OutputStreamTests : IDisposable
{
    private static readonly TimeSpan s_shortWait = TimeSpan.FromMilliseconds(20);

    /// <summary>poll(2) counts in milliseconds.</summary>
    private static readonly TimeSpan s_tick = TimeSpan.FromMilliseconds(1);

    private readonly Pipe _pipe = new();

    public void Dispose() => _pipe.Dispose();

    /// <summary>An endless wait would trigger the watchdog, which expects a ping at least this often.</summary>
    [Fact]
    public void Wait_ReaderStalls_WakesAsOftenAsTheWatchdogRequires()
    {
        int checks = 0;
        var stop = new FakeStop(() => ++checks > 5) { MaxWaitMs = 10 };
        var stream = new OutputStream(_pipe.Writer, new StallPolicy(null) { Stop = stop });
        Assert.Equal(0, Write(stream, Lines(1, 2_000)));
        Assert.NotEqual(0, stream.Lost);
    }

    /// <summary>An expired timeout must not become an endless wait.</summary>
    [Theory]
    [Values(true, false)]
    public void Wait_TimeHasExpired_GivesUp(bool isSignalled)
    {
        var stalls = new StallPolicy(isSignalled ? null : TimeSpan.FromTicks(-1)) { Stop = new FakeStop(() => isSignalled) };
        Assert.Equal(0, Write(new OutputStream(_pipe.Writer, new StallPolicy(TimeSpan.Zero)), Lines(1, 2_000)));
        TimeSpan afterSignal = TimeSpan.FromHours(1);
        Assert.False(stalls.Wait(_pipe.Writer, ref afterSignal));
    }

    [Fact]
    public void Write_SlowReader_DeliversEveryLine()
    {
        string text = Lines(1, 5_000);
        var stream = new OutputStream(_pipe.Writer, new StallPolicy(null));
        var read = new StringBuilder();
        var reader = new Thread(() =>
        {
            while (read.Length < text.Length)
            {
                read.Append(_pipe.Read());
                Thread.Sleep(1);
            }
        });
        reader.Start();
        Assert.Equal(0, Write(stream, text));
        reader.Join();
        Assert.Equal(text, read.ToString());
        Assert.Equal((0, 0, 0), (stream.Errno, stream.Lost, stream.UnreportedLost));
    }

    /// <summary>No line is cut: the output ends with a whole line, and all further lines are counted as lost.</summary>
    [Fact]
    public void Write_StalledReader_LosesWholeLines()
    {
        var stream = new OutputStream(_pipe.Writer, new StallPolicy(s_shortWait));
        long started = Stopwatch.GetTimestamp();
        Assert.Equal(0, Write(stream, Lines(1, 2_000)));
        Assert.True(Stopwatch.GetElapsedTime(started) >= s_shortWait - s_tick);
        Assert.Equal(0, stream.TakeLost()); // no room yet for a line that reports it

        string[] written = _pipe.Read().Split('\n');
        Assert.Empty(written[^1]);
        Assert.Equal(Enumerable.Range(1, written.Length - 1).Select(static i => $"line {i}"), written[..^1]);
        Assert.InRange(written.Length - 1, 1, 1_999);
        long lost = 2_000 - (written.Length - 1);
        Assert.Equal((lost, lost, 0), (stream.Lost, stream.UnreportedLost, stream.Errno));
        Assert.Equal(lost, stream.TakeLost());
        Assert.Equal(0, stream.TakeLost());
        Assert.Equal((lost, 0), (stream.Lost, stream.UnreportedLost));

        Assert.Equal(0, Write(stream, "again\n"));
        Assert.Equal("again\n", _pipe.Read());
        Assert.Equal(lost, stream.Lost);
    }

    /// <summary>After one wait in vain, the stream does not wait again until there is room.</summary>
    [Fact]
    public void Write_ReaderStaysStalled_WaitsOnlyOnce()
    {
        var stream = new OutputStream(_pipe.Writer, new StallPolicy(TimeSpan.FromMilliseconds(300)));
        long started = Stopwatch.GetTimestamp();
        for (int i = 0; i < 1_000; i++)
        {
            Write(stream, Lines(1, 100));
        }

        Assert.InRange(Stopwatch.GetElapsedTime(started), TimeSpan.FromMilliseconds(300) - s_tick, TimeSpan.FromMinutes(2)); // 300 s if it waited each time
        Assert.True(stream.Lost > 0);
    }

    /// <summary>A signal limits an endless wait to a quarter of a second, which a reader that is only slow needs.</summary>
    [Fact]
    public void Write_SignalDuringAStall_EndsTheWait()
    {
        var stream = new OutputStream(_pipe.Writer, new StallPolicy(null) { Stop = new FakeStop(static () => true) });
        long started = Stopwatch.GetTimestamp();
        Write(stream, Lines(1, 2_000));
        Assert.True(Stopwatch.GetElapsedTime(started) >= TimeSpan.FromMilliseconds(250) - s_tick);
        Assert.True(stream.Lost > 0);

        // There is room again, but the quarter of a second is used up.
        string read = _pipe.Read();
        Write(stream, Lines(1, 2_000));
        Assert.Equal(read, _pipe.Read());
    }

    [Fact]
    public void Write_ReaderIsGone_ReturnsTheErrno()
    {
        _pipe.CloseReader();
        var stream = new OutputStream(_pipe.Writer, new StallPolicy(null));
        Assert.Equal(Errno.EPIPE, Write(stream, "one\n"));
        Assert.Equal((Errno.EPIPE, 0), (stream.Errno, stream.Lost));
        Assert.Equal(Errno.EBADF, Write(new OutputStream(int.MaxValue, new StallPolicy(s_shortWait)), "two\n"));
    }

    /// <summary>A pipe is not guaranteed to accept such a line at once.</summary>
    [Fact]
    public void Write_LineLongerThanPipeBuf_IsWrittenInParts()
    {
        string text = new string('x', _pipe.Size - 1) + "\n";
        var stream = new OutputStream(_pipe.Writer, new StallPolicy(s_shortWait));
        Assert.Equal(0, Write(stream, text));
        Assert.Equal(text, _pipe.Read());
        Assert.Equal(0, Write(stream, new string('y', 3 * _pipe.Size) + "\n"));
        Assert.Equal(1, stream.Lost);
    }

    private static int Write(OutputStream stream, string text) => stream.Write(Encoding.UTF8.GetBytes(text));

    private static string Lines(int first, int last) => string.Concat(Enumerable.Range(first, last).Select(static i => $"line {i}\n"));
}
