using System.Diagnostics;
using System.Text;
using TcpCloser.Interop;
using TcpCloser.Report;
using TcpCloser.Tests.Support;

namespace TcpCloser.Tests.Report;

/// <summary>Output whose reader is slow, stalls or is gone.</summary>
public sealed class OutputStreamTests : IDisposable
{
    private static readonly TimeSpan s_moment = TimeSpan.FromMilliseconds(20);

    /// <summary>poll(2) counts in milliseconds.</summary>
    private static readonly TimeSpan s_tick = TimeSpan.FromMilliseconds(1);

    private readonly Pipe _pipe = new();

    public void Dispose() => _pipe.Dispose();

    [Fact]
    public void AReaderThatIsSlowGetsEveryLine()
    {
        string text = Lines(1, 5_000);
        var stream = new OutputStream(_pipe.Writer, new Patience(null));
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
        Assert.Equal((0, 0, 0), (stream.Errno, stream.Lost, stream.Untold));
    }

    /// <summary>Nothing is half lost: what was written ends with a line, and all that follow are counted.</summary>
    [Fact]
    public void AReaderThatStallsLosesWholeLines()
    {
        var stream = new OutputStream(_pipe.Writer, new Patience(s_moment));
        long started = Stopwatch.GetTimestamp();
        Assert.Equal(0, Write(stream, Lines(1, 2_000)));
        Assert.True(Stopwatch.GetElapsedTime(started) >= s_moment - s_tick);
        Assert.Equal(0, stream.TakeLost()); // there is no room to tell it

        string[] written = _pipe.Read().Split('\n');
        Assert.Empty(written[^1]);
        Assert.Equal(Enumerable.Range(1, written.Length - 1).Select(static i => $"line {i}"), written[..^1]);
        Assert.InRange(written.Length - 1, 1, 1_999);
        long lost = 2_000 - (written.Length - 1);
        Assert.Equal((lost, lost, 0), (stream.Lost, stream.Untold, stream.Errno));
        Assert.Equal(lost, stream.TakeLost());
        Assert.Equal(0, stream.TakeLost());
        Assert.Equal((lost, 0), (stream.Lost, stream.Untold));

        Assert.Equal(0, Write(stream, "again\n"));
        Assert.Equal("again\n", _pipe.Read());
        Assert.Equal(lost, stream.Lost);
    }

    /// <summary>Having waited in vain once, it does not wait again until there is room.</summary>
    [Fact]
    public void OneStallIsWaitedForOnce()
    {
        var stream = new OutputStream(_pipe.Writer, new Patience(TimeSpan.FromMilliseconds(300)));
        long started = Stopwatch.GetTimestamp();
        for (int i = 0; i < 1_000; i++)
        {
            Write(stream, Lines(1, 100));
        }

        Assert.InRange(Stopwatch.GetElapsedTime(started), TimeSpan.FromMilliseconds(300) - s_tick, TimeSpan.FromMinutes(2)); // 300 s, if it waited each time
        Assert.True(stream.Lost > 0);
    }

    /// <summary>A signal ends a wait that has no other end; a reader that is only slow has a quarter of a second.</summary>
    [Fact]
    public void ASignalEndsTheWait()
    {
        var stream = new OutputStream(_pipe.Writer, new Patience(null) { Stop = new FakeStop(static () => true) });
        long started = Stopwatch.GetTimestamp();
        Write(stream, Lines(1, 2_000));
        Assert.True(Stopwatch.GetElapsedTime(started) >= TimeSpan.FromMilliseconds(250) - s_tick);
        Assert.True(stream.Lost > 0);

        // There was room again, and no more of that quarter.
        string read = _pipe.Read();
        Write(stream, Lines(1, 2_000));
        Assert.Equal(read, _pipe.Read());
    }

    [Fact]
    public void AReaderThatIsGoneIsAnError()
    {
        _pipe.CloseReader();
        var stream = new OutputStream(_pipe.Writer, new Patience(null));
        Assert.Equal(Errno.EPIPE, Write(stream, "one\n"));
        Assert.Equal((Errno.EPIPE, 0), (stream.Errno, stream.Lost));
        Assert.Equal(Errno.EBADF, Write(new OutputStream(int.MaxValue, new Patience(s_moment)), "two\n"));
    }

    /// <summary>A line longer than a pipe is sure to take at once is written in parts.</summary>
    [Fact]
    public void ALineThatIsTooLongForOneWrite()
    {
        string text = new string('x', _pipe.Size - 1) + "\n";
        var stream = new OutputStream(_pipe.Writer, new Patience(s_moment));
        Assert.Equal(0, Write(stream, text));
        Assert.Equal(text, _pipe.Read());
        Assert.Equal(0, Write(stream, new string('y', 3 * _pipe.Size) + "\n"));
        Assert.Equal(1, stream.Lost);
    }

    private static int Write(OutputStream stream, string text) => stream.Write(Encoding.UTF8.GetBytes(text));

    private static string Lines(int first, int last) => string.Concat(Enumerable.Range(first, last).Select(static i => $"line {i}\n"));
}
