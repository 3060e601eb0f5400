using System.Diagnostics;
using System.Net.Sockets;
using System.Text;
using Socket = System.Net.Sockets.Socket;

namespace TcpCloser.Tests.Report;

/// <summary>The copy of each log line to syslog, at a socket of the test's own.</summary>
public sealed class SyslogTests : IDisposable
{
    private const long Now = 1_800_000_000;

    private readonly TemporaryDirectory _directory = new();
    private Socket? _daemon;

    private string SocketPath => Path.Combine(_directory.Path, "log");

    public void Dispose()
    {
        _daemon?.Dispose();
        _directory.Dispose();
    }

    [Theory]
    [InlineData(Level.Error, 27)]
    [InlineData(Level.Warning, 28)]
    [InlineData(Level.Info, 30)]
    [InlineData(Level.Debug, 31)]
    internal void Write_EachLevel_HasPriorityTimeAndPid(Level level, int priority)
    {
        StartDaemon();
        using var syslog = new Syslog(SocketPath);
        syslog.Write(level, Now, "one"u8);
        syslog.Write(level, Now, "two"u8);
        DateTime local = DateTimeOffset.FromUnixTimeSeconds(Now).LocalDateTime;
        string prefix = FormattableString.Invariant($"<{priority}>{local:MMM} {local.Day,2} {local:HH:mm:ss} tcp-closer[{Environment.ProcessId}]: ");
        Assert.Equal([prefix + "one", prefix + "two"], Received());
        Assert.Equal(0, syslog.Lost);
    }

    [Theory]
    [Rows("2026 | 1 | 1 | 0 | 0 | 0", "2026 | 2 | 9 | 1 | 2 | 3", "2026 | 10 | 10 | 23 | 59 | 59", "2026 | 12 | 31 | 12 | 0 | 30")]
    public void Write_Time_IsLocalWithAPaddedDay(int year, int month, int day, int hour, int minute, int second)
    {
        StartDaemon();
        using var syslog = new Syslog(SocketPath);
        var time = new DateTime(year, month, day, hour, minute, second, DateTimeKind.Local);
        syslog.Write(Level.Info, new DateTimeOffset(time).ToUnixTimeSeconds(), "one"u8);
        Assert.StartsWith(FormattableString.Invariant($"<30>{time:MMM} {day,2} {time:HH:mm:ss} tcp-closer["), Assert.Single(Received()), StringComparison.Ordinal);
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

    [Fact]
    public void Daemon_Restarted_GetsTheNextLine()
    {
        StartDaemon();
        using var syslog = new Syslog(SocketPath);
        syslog.Write(Level.Info, Now, "before"u8);
        StopDaemon();
        StartDaemon();
        syslog.Write(Level.Info, Now, "after"u8);
        Assert.EndsWith(": after", Assert.Single(Received()), StringComparison.Ordinal);
        Assert.Equal(0, syslog.Lost);
    }

    [Fact]
    public void Daemon_Ended_LosesNoLine()
    {
        StartDaemon();
        using var syslog = new Syslog(SocketPath);
        syslog.Write(Level.Info, Now, "before"u8);
        StopDaemon();
        syslog.Write(Level.Info, Now, "while it is away"u8);
        syslog.Write(Level.Info, Now, "still"u8);
        Assert.Equal(0, syslog.Lost);
        StartDaemon();
        AwaitHeard(syslog, Now);
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

        string[] accepted = Received();
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
            lines = Received();
        }

        Assert.EndsWith(": heard", Assert.Single(lines), StringComparison.Ordinal);
    }

    private void StartDaemon()
    {
        _daemon = new Socket(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified);
        _daemon.Bind(new UnixDomainSocketEndPoint(SocketPath));
    }

    private void StopDaemon()
    {
        _daemon!.Dispose();
        File.Delete(SocketPath);
    }

    private string[] Received()
    {
        List<string> lines = [];
        byte[] buffer = new byte[4096];
        while (_daemon!.Poll(0, SelectMode.SelectRead))
        {
            lines.Add(Encoding.UTF8.GetString(buffer, 0, _daemon.Receive(buffer)));
        }

        return [.. lines];
    }
}
