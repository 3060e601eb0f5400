using System.Globalization;
using System.Net.Sockets;
using System.Text;

namespace TcpCloser.Tests.Report;

/// <summary>Notifications to the service manager, one datagram each.</summary>
public sealed class SystemdNotifierTests : IDisposable
{
    private readonly string _path = Path.Combine(Path.GetTempPath(), "notify-" + Guid.NewGuid().ToString("N"));
    private readonly System.Net.Sockets.Socket _manager = new(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified);

    public void Dispose()
    {
        _manager.Dispose();
        File.Delete(_path);
    }

    [Fact]
    public void End_EachRound_SendsReadyAndStatus()
    {
        using SystemdNotifier notifier = Make(null);
        Assert.Empty(Received());

        notifier.End(ExitStatus.Done, Counts(2, Outcome.Destroyed), TimeSpan.Zero, isQuiet: false);
        notifier.End(ExitStatus.Incomplete, Counts(1, Outcome.Failed), TimeSpan.Zero, isQuiet: false);

        Assert.Equal(
            [
                "READY=1\nSTATUS=round 1 done: matched=2 idle=1 closed=1 vanished=0 spared=0 failed=0",
                "READY=1\nSTATUS=round 2 incomplete: matched=1 idle=1 closed=0 vanished=0 spared=0 failed=1",
            ],
            Received());
    }

    [Fact]
    public void End_RoundNotPossible_SendsNoReady()
    {
        using SystemdNotifier notifier = Make(null);
        notifier.End(ExitStatus.NotPossible, new Counts(), TimeSpan.Zero, isQuiet: false);
        notifier.Reload(static () => { });
        Assert.Empty(Received());
    }

    [Fact]
    public void Reload_Requested_SendsReloadingThenReady()
    {
        using SystemdNotifier notifier = Make(null);
        notifier.End(ExitStatus.Done, new Counts(), TimeSpan.Zero, isQuiet: true);
        Received();
        string[] before = [];

        notifier.Reload(() => before = Received());

        Assert.Matches("^RELOADING=1\nMONOTONIC_USEC=[0-9]+$", Assert.Single(before));
        double uptime = double.Parse(File.ReadAllText("/proc/uptime").Split(' ')[0], CultureInfo.InvariantCulture);
        Assert.InRange(double.Parse(before[0].Split('=')[^1], CultureInfo.InvariantCulture) / 1e6, uptime - 60, uptime + 1);
        Assert.Equal(["READY=1"], Received());
    }

    [Fact]
    public void Totals_EndOfTheService_AreSentBeforeStopping()
    {
        SystemdNotifier notifier = Make(null);
        notifier.Totals(Counts(5, Outcome.Destroyed), 7, TimeSpan.Zero);
        Assert.Equal(["STATUS=after 7 rounds: matched=5 idle=1 closed=1 vanished=0 spared=0 failed=0"], Received());
        notifier.Dispose();
        Assert.Equal(["STOPPING=1"], Received());
    }

    [Fact]
    public void Progress_WatchdogConfigured_PingsAtHalfItsTime()
    {
        using SystemdNotifier notifier = Make(TimeSpan.FromHours(2));
        Assert.Equal(0, notifier.UntilPingMs);
        notifier.Progress();
        notifier.Progress();
        Assert.Equal(["WATCHDOG=1"], Received());

        // A wait that something else has ended does not start again.
        int left = notifier.UntilPingMs;
        Assert.InRange(left, 3_500_000, 3_600_000);
        Thread.Sleep(20);
        Assert.InRange(notifier.UntilPingMs, 3_500_000, left - 19);

        using SystemdNotifier quick = Make(TimeSpan.FromTicks(2));
        quick.Progress();
        quick.Progress();
        Assert.Equal(["WATCHDOG=1", "WATCHDOG=1"], Received());
    }

    /// <summary>A negative time would be an endless wait.</summary>
    [Fact]
    public void UntilPing_Overdue_Is0()
    {
        using SystemdNotifier notifier = Make(TimeSpan.FromMilliseconds(2));
        notifier.Progress();
        Thread.Sleep(20);
        Assert.Equal(0, notifier.UntilPingMs);
    }

    [Fact]
    public void Progress_NoWatchdog_SendsNothing()
    {
        using SystemdNotifier notifier = Make(null);
        Assert.Equal(-1, notifier.UntilPingMs);
        notifier.Progress();
        Assert.Empty(Received());
    }

    [Fact]
    public void Socket_NameBeginsWithAt_IsAbstract()
    {
        string name = "tcp-closer-" + Guid.NewGuid().ToString("N");
        _manager.Bind(new UnixDomainSocketEndPoint("\0" + name));
        using var notifier = new SystemdNotifier(new NotifySocket("@" + name), null);
        notifier.Totals(new Counts(), 0, TimeSpan.Zero);
        Assert.StartsWith("STATUS=after 0 rounds: ", Assert.Single(Received()), StringComparison.Ordinal);
    }

    /// <summary>A manager that does not read blocks nothing, and gets the next READY once it reads again.</summary>
    [Fact]
    public void End_ManagerDoesNotRead_DoesNotBlock()
    {
        using SystemdNotifier notifier = Make(null);
        for (int round = 0; round < 10_000; round++)
        {
            notifier.End(ExitStatus.Done, new Counts(), TimeSpan.Zero, isQuiet: true);
        }

        Assert.NotEmpty(Received());
        notifier.End(ExitStatus.Done, new Counts(), TimeSpan.Zero, isQuiet: true);
        Assert.StartsWith("READY=1\nSTATUS=round 10001 ", Assert.Single(Received()), StringComparison.Ordinal);
    }

    [Theory]
    [Values("", "relative", "vsock:2:1234", "/no/such/socket",
        "/0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789012345678")]
    public void Send_InvalidSocketName_ReturnsFalse(string name)
    {
        using var socket = new NotifySocket(name);
        Assert.False(socket.Send("READY=1"u8));
    }

    private static Counts Counts(int matched, Outcome outcome)
    {
        var counts = new Counts { Matched = matched };
        counts.Count(outcome);
        return counts;
    }

    private SystemdNotifier Make(TimeSpan? watchdog)
    {
        if (!File.Exists(_path))
        {
            _manager.Bind(new UnixDomainSocketEndPoint(_path));
        }

        return new SystemdNotifier(new NotifySocket(_path), watchdog);
    }

    private string[] Received()
    {
        List<string> messages = [];
        byte[] buffer = new byte[4096];
        while (_manager.Poll(0, SelectMode.SelectRead))
        {
            messages.Add(Encoding.UTF8.GetString(buffer, 0, _manager.Receive(buffer)));
        }

        return [.. messages];
    }
}
