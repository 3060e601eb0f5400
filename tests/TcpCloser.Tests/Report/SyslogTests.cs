using System.Net.Sockets;
using System.Text;
using TcpCloser.Report;
using TcpCloser.Tests.Support;

namespace TcpCloser.Tests.Report;

/// <summary>The copy of each line that syslog gets, on a socket of the test's own.</summary>
public sealed class SyslogTests : IDisposable
{
    private const long Now = 1_800_000_000;

    private readonly TemporaryFolder _folder = new();
    private Socket? _daemon;

    private string SocketPath => Path.Combine(_folder.Path, "log");

    public void Dispose()
    {
        _daemon?.Dispose();
        _folder.Dispose();
    }

    [Theory]
    [InlineData(Level.Error, 27)]
    [InlineData(Level.Warning, 28)]
    [InlineData(Level.Info, 30)]
    [InlineData(Level.Debug, 31)]
    internal void ALine(Level level, int priority)
    {
        StartDaemon();
        using var syslog = new Syslog(SocketPath);
        syslog.Write(level, Now, "one"u8);
        syslog.Write(level, Now, "two"u8);
        DateTime local = DateTimeOffset.FromUnixTimeSeconds(Now).LocalDateTime;
        string head = FormattableString.Invariant($"<{priority}>{local:MMM} {local.Day,2} {local:HH:mm:ss} tcp-closer[{Environment.ProcessId}]: ");
        Assert.Equal([head + "one", head + "two"], Received());
        Assert.Equal(0, syslog.Lost);
    }

    [Theory]
    [InlineData(2026, 1, 1, 0, 0, 0)]
    [InlineData(2026, 2, 9, 1, 2, 3)]
    [InlineData(2026, 10, 10, 23, 59, 59)]
    [InlineData(2026, 12, 31, 12, 0, 30)]
    public void ATime(int year, int month, int day, int hour, int minute, int second)
    {
        StartDaemon();
        using var syslog = new Syslog(SocketPath);
        var time = new DateTime(year, month, day, hour, minute, second, DateTimeKind.Local);
        syslog.Write(Level.Info, new DateTimeOffset(time).ToUnixTimeSeconds(), "one"u8);
        Assert.StartsWith(FormattableString.Invariant($"<30>{time:MMM} {day,2} {time:HH:mm:ss} tcp-closer["), Assert.Single(Received()), StringComparison.Ordinal);
    }

    /// <summary>No daemon is no error; where one begins to listen it gets the lines from the next second on.</summary>
    [Fact]
    public void WithoutADaemonNothingIsLost()
    {
        using var syslog = new Syslog(SocketPath);
        syslog.Write(Level.Info, Now, "nobody hears it"u8);
        StartDaemon();
        syslog.Write(Level.Info, Now, "too early"u8);
        Assert.Empty(Received());
        syslog.Write(Level.Info, Now + 1, "heard"u8);
        Assert.EndsWith(": heard", Assert.Single(Received()), StringComparison.Ordinal);
        Assert.Equal(0, syslog.Lost);
    }

    [Fact]
    public void ADaemonThatIsStartedAnewGetsTheLineAtOnce()
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
    public void ADaemonThatEndedIsNoLoss()
    {
        StartDaemon();
        using var syslog = new Syslog(SocketPath);
        syslog.Write(Level.Info, Now, "before"u8);
        StopDaemon();
        syslog.Write(Level.Info, Now, "while it is away"u8);
        syslog.Write(Level.Info, Now, "still"u8);
        Assert.Equal(0, syslog.Lost);
        StartDaemon();
        syslog.Write(Level.Info, Now + 1, "after"u8);
        Assert.EndsWith(": after", Assert.Single(Received()), StringComparison.Ordinal);
    }

    /// <summary>Something is there that takes no datagrams: that is not the same as no daemon.</summary>
    [Fact]
    public void WhatDoesNotTakeThemLosesThem()
    {
        using var stream = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        stream.Bind(new UnixDomainSocketEndPoint(SocketPath));
        stream.Listen();
        using var syslog = new Syslog(SocketPath);
        syslog.Write(Level.Info, Now, "one"u8);
        syslog.Write(Level.Info, Now, "two"u8);
        Assert.Equal(2, syslog.Lost);
    }

    /// <summary>A daemon that does not read is not waited for.</summary>
    [Fact]
    public void WhatDoesNotFitIsCountedAndTheLogSaysSo()
    {
        const int Lines = 10_000;
        StartDaemon();
        string path = Path.Combine(_folder.Path, "lines");
        using (var log = new Log(new LogFile(path, new Patience(null)), new Syslog(SocketPath), Level.Info, "db"))
        {
            for (int i = 0; i < Lines; i++)
            {
                log.Write(Level.Info, "line");
                log.Write(Level.Debug, "nobody's");
            }
        }

        string[] taken = Received();
        Assert.All(taken, static line => Assert.EndsWith(": line rule=db", line, StringComparison.Ordinal));
        Assert.InRange(taken.Length, 1, Lines - 1);
        Assert.EndsWith($"Z warning syslog: /dev/log did not take {Lines - taken.Length} lines rule=db", File.ReadLines(path).Last(), StringComparison.Ordinal);
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
