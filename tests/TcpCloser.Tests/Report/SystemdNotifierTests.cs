using System.Globalization;

namespace TcpCloser.Tests.Report;

/// <summary>Notifications to the service manager, one datagram each.</summary>
public sealed class SystemdNotifierTests : IDisposable
{
    private readonly TemporaryDirectory _directory = new();
    private readonly DatagramServer _manager;

    public SystemdNotifierTests() => _manager = new DatagramServer(Path.Combine(_directory.Path, "notify"));

    public void Dispose()
    {
        _manager.Dispose();
        _directory.Dispose();
    }

    [Fact]
    public void End_EachRound_SendsReadyAndStatus()
    {
        using SystemdNotifier notifier = Make(null);
        Assert.Empty(_manager.Received());

        notifier.End(ExitStatus.Done, Counts(2, Outcome.Destroyed), TimeSpan.Zero, isQuiet: false);
        notifier.End(ExitStatus.Incomplete, Counts(1, Outcome.Failed), TimeSpan.Zero, isQuiet: false);

        string[] messages = _manager.Received();
        Assert.Equal("READY=1\nSTATUS=round 1 done: matched=2 idle=1 closed=1 vanished=0 spared=0 failed=0", messages[0]);
        Assert.Equal("READY=1\nSTATUS=round 2 incomplete: matched=1 idle=1 closed=0 vanished=0 spared=0 failed=1", messages[1]);
        Assert.Equal(2, messages.Length);
    }

    [Fact]
    public void End_RoundNotPossible_SendsNoReady()
    {
        using SystemdNotifier notifier = Make(null);
        notifier.End(ExitStatus.NotPossible, new Counts(), TimeSpan.Zero, isQuiet: false);
        notifier.Reload(static () => { });
        Assert.Empty(_manager.Received());
    }

    [Fact]
    public void Reload_Requested_SendsReloadingThenReady()
    {
        using SystemdNotifier notifier = Make(null);
        notifier.End(ExitStatus.Done, new Counts(), TimeSpan.Zero, isQuiet: true);
        _manager.Received();
        string[] before = [];

        notifier.Reload(() => before = _manager.Received());

        Assert.Matches("^RELOADING=1\nMONOTONIC_USEC=[0-9]+$", Assert.Single(before));
        double uptime = double.Parse(File.ReadAllText("/proc/uptime").Split(' ')[0], CultureInfo.InvariantCulture);
        Assert.InRange(double.Parse(before[0].Split('=')[^1], CultureInfo.InvariantCulture) / 1e6, uptime - 60, uptime + 1);
        Assert.Equal(["READY=1"], _manager.Received());
    }

    [Fact]
    public void Totals_EndOfTheService_AreSentBeforeStopping()
    {
        SystemdNotifier notifier = Make(null);
        notifier.Totals(Counts(5, Outcome.Destroyed), 7, TimeSpan.Zero);
        Assert.Equal(["STATUS=after 7 rounds: matched=5 idle=1 closed=1 vanished=0 spared=0 failed=0"], _manager.Received());
        notifier.Dispose();
        Assert.Equal(["STOPPING=1"], _manager.Received());
    }

    [Fact]
    public void Progress_WatchdogConfigured_PingsAtHalfItsTime()
    {
        using SystemdNotifier notifier = Make(TimeSpan.FromHours(2));
        Assert.Equal(0, notifier.UntilPingMs);
        notifier.Progress();
        notifier.Progress();
        Assert.Equal(["WATCHDOG=1"], _manager.Received());

        // A wait that something else has ended does not start again.
        int left = notifier.UntilPingMs;
        Assert.InRange(left, 3_500_000, 3_600_000);
        Thread.Sleep(20);
        Assert.InRange(notifier.UntilPingMs, 3_500_000, left - 19);

        // A negative time would be an endless wait.
        using SystemdNotifier quick = Make(TimeSpan.FromTicks(2));
        quick.Progress();
        quick.Progress();
        Assert.Equal(["WATCHDOG=1", "WATCHDOG=1"], _manager.Received());
        Thread.Sleep(20);
        Assert.Equal(0, quick.UntilPingMs);

        using SystemdNotifier none = Make(null);
        Assert.Equal(-1, none.UntilPingMs);
        none.Progress();
        Assert.Empty(_manager.Received());
    }

    [Fact]
    public void Socket_NameBeginsWithAt_IsAbstract()
    {
        string name = "tcp-closer-" + Guid.NewGuid().ToString("N");
        using var manager = new DatagramServer("\0" + name);
        using var notifier = new SystemdNotifier(new NotifySocket("@" + name), null);
        notifier.Totals(new Counts(), 0, TimeSpan.Zero);
        Assert.StartsWith("STATUS=after 0 rounds: ", Assert.Single(manager.Received()), StringComparison.Ordinal);
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

        Assert.NotEmpty(_manager.Received());
        notifier.End(ExitStatus.Done, new Counts(), TimeSpan.Zero, isQuiet: true);
        Assert.StartsWith("READY=1\nSTATUS=round 10001 ", Assert.Single(_manager.Received()), StringComparison.Ordinal);
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

    private SystemdNotifier Make(TimeSpan? watchdog) => new(new NotifySocket(Path.Combine(_directory.Path, "notify")), watchdog);
}
