using System.Diagnostics;
using System.Globalization;
using System.Net.Sockets;
using Socket = System.Net.Sockets.Socket;

namespace TcpCloser.Tests.Report;

/// <summary>The copy of each log line to syslog, at a socket of the test's own.</summary>
public sealed class SyslogTests : IDisposable
{
    private const long Now = 1_800_000_000;

    private readonly TemporaryDirectory _directory = new();
    private DatagramServer? _daemon;

    private string SocketPath => Path.Combine(_directory.Path, "log");

    public void Dispose()
    {
        _daemon?.Dispose();
        _directory.Dispose();
    }

    /// <summary>The time is local, and the day is padded with a space.</summary>
    [Theory]
    [InlineData(Level.Error, 27, "2026-01-01T00:00:00")]
    [InlineData(Level.Warning, 28, "2026-02-09T01:02:03")]
    [InlineData(Level.Info, 30, "2026-10-10T23:59:59")]
    [InlineData(Level.Debug, 31, "2026-12-31T12:00:30")]
    internal void Write_EachLevel_HasPriorityTimeAndPid(Level level, int priority, string time)
    {
        StartDaemon();
        using var syslog = new Syslog(SocketPath);
        var local = DateTime.Parse(time, CultureInfo.InvariantCulture, DateTimeStyles.AssumeLocal);
        long unixSeconds = new DateTimeOffset(local).ToUnixTimeSeconds();
        syslog.Write(level, unixSeconds, "one"u8);
        syslog.Write(level, unixSeconds, "two"u8);
        string prefix = FormattableString.Invariant($"<{priority}>{local:MMM} {local.Day,2} {local:HH:mm:ss} tcp-closer[{Environment.ProcessId}]: ");
        Assert.Equal([prefix + "one", prefix + "two"], _daemon!.Received());
        Assert.Equal(0, syslog.Lost);
    }

    /// <summary>
    /// A missing daemon is not an error. Once one listens, it gets the lines of the next second, even if the clock was set back in the
    /// meantime.
    /// </summary>
    [Theory]
    [Values(0, -3_600)]
    public void Daemon_StartedLater_GetsLinesAfterASecond(int clockStep)
    {
        using var syslog = new Syslog(SocketPath);
        long started = Stopwatch.GetTimestamp();
        syslog.Write(Level.Info, Now, "nobody hears it"u8);
        StartDaemon();
        AwaitHeard(syslog, Now + clockStep);
        Assert.InRange(Stopwatch.GetElapsedTime(started), TimeSpan.FromSeconds(1), TimeSpan.FromMinutes(1));
        Assert.Equal(0, syslog.Lost);
    }

    /// <summary>No line is lost, and a daemon that was only restarted gets the next one at once.</summary>
    [Theory]
    [Values(true, false)]
    public void Daemon_RestartedOrEnded_LosesNoLine(bool isRestarted)
    {
        StartDaemon();
        using var syslog = new Syslog(SocketPath);
        syslog.Write(Level.Info, Now, "before"u8);
        _daemon!.Dispose();
        File.Delete(SocketPath);
        if (isRestarted)
        {
            StartDaemon();
            syslog.Write(Level.Info, Now, "after"u8);
            Assert.EndsWith(": after", Assert.Single(_daemon!.Received()), StringComparison.Ordinal);
        }
        else
        {
            syslog.Write(Level.Info, Now, "while it is away"u8);
            syslog.Write(Level.Info, Now, "still"u8);
            StartDaemon();
            AwaitHeard(syslog, Now);
        }

        Assert.Equal(0, syslog.Lost);
    }

    /// <summary>A socket that accepts no datagrams is an error, unlike a missing daemon.</summary>
    [Fact]
    public void Write_SocketRefusesDatagrams_CountsLostLines()
    {
        using var stream = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        stream.Bind(new UnixDomainSocketEndPoint(SocketPath));
        stream.Listen();
        using var syslog = new Syslog(SocketPath);
        syslog.Write(Level.Info, Now, "one"u8);
        syslog.Write(Level.Info, Now, "two"u8);
        Assert.Equal(2, syslog.Lost);
    }

    /// <summary>The program does not wait for a daemon that does not read.</summary>
    [Fact]
    public void Write_DaemonDoesNotRead_LogsTheNumberOfLostLines()
    {
        const int Lines = 10_000;
        StartDaemon();
        string path = Path.Combine(_directory.Path, "lines");
        using (var log = new Log(new LogFile(path, new StallPolicy(null)), new Syslog(SocketPath), Level.Info, "db"))
        {
            for (int i = 0; i < Lines; i++)
            {
                log.Write(Level.Info, "line");
                log.Write(Level.Debug, "nobody's");
            }
        }

        string[] accepted = _daemon!.Received();
        Assert.All(accepted, static line => Assert.EndsWith(": line rule=db", line, StringComparison.Ordinal));
        Assert.InRange(accepted.Length, 1, Lines - 1);
        Assert.EndsWith($"Z warning syslog: /dev/log did not accept {Lines - accepted.Length} lines rule=db", File.ReadLines(path).Last(), StringComparison.Ordinal);
    }

    /// <summary>Writes lines until one arrives.</summary>
    private void AwaitHeard(Syslog syslog, long unixSeconds)
    {
        long started = Stopwatch.GetTimestamp();
        string[] lines = [];
        while (lines.Length == 0 && Stopwatch.GetElapsedTime(started) < TimeSpan.FromMinutes(1))
        {
            Thread.Sleep(20);
            syslog.Write(Level.Info, unixSeconds, "heard"u8);
            lines = _daemon!.Received();
        }

        Assert.EndsWith(": heard", Assert.Single(lines), StringComparison.Ordinal);
    }

    private void StartDaemon() => _daemon = new DatagramServer(SocketPath);
}
