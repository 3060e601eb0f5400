using System.Diagnostics;
using System.Net.Sockets;
using System.Text;
using TcpCloser.KernelTests.Harness;
using Xunit;

namespace TcpCloser.KernelTests;

/// <summary>A service under a service manager, for which a socket stands in.</summary>
public sealed class NotifyTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly Socket _manager = new(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified);
    private readonly List<string> _told = [];

    public NotifyTests() => _manager.Bind(new UnixDomainSocketEndPoint(_folder.File("notify")));

    public void Dispose()
    {
        _manager.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public void AServiceTellsFromReadyToStopping()
    {
        using var lab = LabProcess.Start("--count", "3");
        using Command service = Start(lab, [], "-i", "1h");
        lab.WaitEnded(3);
        Await("READY=1\nSTATUS=round 1 done: matched=3 idle=3 closed=3 ");

        service.Signal("HUP");
        Until.True(
            () =>
            {
                Receive();
                return _told.Count >= 3;
            },
            "the reload");
        Assert.Matches("^RELOADING=1\nMONOTONIC_USEC=[0-9]+$", _told[1]);
        Assert.Equal("READY=1", _told[2]);

        service.Signal("USR1");
        Await("STATUS=after 1 rounds: matched=3 ");

        service.Signal("TERM");
        service.WaitForEnd().Expect(0);
        Await("STOPPING=1");
        Assert.StartsWith("STATUS=after 1 rounds: matched=3 ", _told[^2], StringComparison.Ordinal);
        Assert.Equal(6, _told.Count);
    }

    /// <summary>Between rounds as well, however far apart they are.</summary>
    [Fact]
    public void TheWatchdogHearsOfItAtHalfOfItsTimeAsLongAsItRuns()
    {
        using var lab = LabProcess.Start("--count", "1");
        using Command service = Start(lab, ["WATCHDOG_USEC=400000"], "-i", "1h", "-t", "1h");
        Until.True(
            () =>
            {
                Receive();
                return _told.Any(static text => text.StartsWith("READY=1", StringComparison.Ordinal));
            },
            "the first round");
        long start = Stopwatch.GetTimestamp();
        _told.Clear();
        Until.True(() => Pings() >= 5, "pings");
        Assert.InRange(Stopwatch.GetElapsedTime(start).TotalMilliseconds, 4 * 150, 60_000);

        service.Signal("STOP");
        Receive();
        int pings = Pings();
        Thread.Sleep(600); // that nothing comes can only be waited for
        Receive();
        Assert.InRange(Pings(), pings, pings + 1);
        service.Signal("CONT");
        Until.True(() => Pings() > pings + 1, "pings again");

        service.Signal("TERM");
        service.WaitForEnd().Expect(0);
    }

    /// <summary>A round may take longer than the watchdog waits: what waits for processes to end, or for peers to answer, goes on.</summary>
    [Fact]
    public void ARoundThatGoesOnIsAlive()
    {
        using var lab = LabProcess.Start(new LabSurroundings { OwnProcesses = true }, "--count", "1", "--ignore-term", "--client-process");
        using Command service = Start(lab, ["WATCHDOG_USEC=400000"], "-i", "1h", "--use-proc", "--grace", "1h");
        Until.True(() => service.Stderr.Contains("SIGTERM to pid=", StringComparison.Ordinal), "the signal");
        Receive();
        int pings = Pings();
        Until.True(() => Pings() >= pings + 3, "pings");
        Assert.DoesNotContain(_told, static text => text.StartsWith("READY", StringComparison.Ordinal));
        Strace.Signal(service, "TERM");
        service.WaitForEnd().Expect(0);
    }

    /// <summary>A round that does not go on is for the watchdog to end: here the kernel keeps the answer to a dump for ever.</summary>
    [Fact]
    public void ARoundThatHangsIsNotAlive()
    {
        using var lab = LabProcess.Start("--count", "1");
        using Command service = new ToolRun(lab)
        {
            Wrapper = [.. new Strace(_folder.File("trace")).Injecting("delay_enter=20000000:when=2"), "env", .. Environment("WATCHDOG_USEC=200000")],
            Arguments = ["-s", $"{LabProcess.Port}", "-i", "1h", "-t", "1h", "--disable-syslog"],
        }.Start();
        Thread.Sleep(1500);
        Receive();
        Assert.InRange(Pings(), 0, 2);
        Assert.DoesNotContain(_told, static text => text.StartsWith("READY", StringComparison.Ordinal));
    }

    [Fact]
    public void WhatCanCloseNothingIsNeverReady()
    {
        using var lab = LabProcess.Start("--count", "1");
        var run = new ToolRun(lab)
        {
            Wrapper = ["env", .. Environment()],
            Arguments = ["-s", $"{LabProcess.Port}", "-i", "1h", "--method", "destroy", "--disable-syslog"],
        };
        run.Unprivileged().Run().Expect(3);
        Receive();
        Assert.Equal(["STOPPING=1"], _told);
    }

    [Fact]
    public void ASingleRunTellsNothing()
    {
        using var lab = LabProcess.Start("--count", "1");
        new ToolRun(lab)
        {
            Wrapper = ["env", .. Environment("WATCHDOG_USEC=400000")],
            Arguments = ["-s", $"{LabProcess.Port}", "--disable-syslog"],
        }.Run().Expect(0);
        Receive();
        Assert.Empty(_told);
    }

    private Command Start(LabProcess lab, string[] variables, params string[] arguments)
        => new ToolRun(lab)
        {
            Wrapper = ["env", .. Environment(variables)],
            Arguments = ["-s", $"{LabProcess.Port}", "--disable-syslog", .. arguments],
        }.Start();

    private string[] Environment(params string[] more) => [$"NOTIFY_SOCKET={_folder.File("notify")}", .. more];

    private int Pings()
    {
        Receive();
        return _told.Count(static text => text == "WATCHDOG=1");
    }

    private void Await(string begin)
        => Until.True(
            () =>
            {
                Receive();
                return _told.FindLast(static text => text != "WATCHDOG=1")?.StartsWith(begin, StringComparison.Ordinal) ?? false;
            },
            begin);

    private void Receive()
    {
        byte[] buffer = new byte[4096];
        while (_manager.Poll(0, SelectMode.SelectRead))
        {
            _told.Add(Encoding.UTF8.GetString(buffer, 0, _manager.Receive(buffer)));
        }
    }
}
