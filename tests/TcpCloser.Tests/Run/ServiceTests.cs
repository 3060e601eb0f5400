using System.Net.Sockets;
using System.Text;
using Signal = TcpCloser.Interop.Signal;

namespace TcpCloser.Tests.Run;

/// <summary>
/// A service from its command line to its exit status. Signals go to its thread alone, at a moment that the test chooses.
/// </summary>
public sealed class ServiceTests : IDisposable
{
    private readonly TemporaryDirectory _directory = new();
    private readonly ServerScene _scene = new(new FakeHost());
    private readonly List<int> _signals = [];
    private int _dumps;

    private string Log => Path.Combine(_directory.Path, "log");
    private string Metrics => Path.Combine(_directory.Path, "db.prom");

    public void Dispose() => _directory.Dispose();

    [Theory]
    [InlineData(Signal.SIGTERM, (int)ExitStatus.Done)]
    [InlineData(Signal.SIGINT, (int)ExitStatus.Done)]
    [InlineData(Signal.SIGQUIT, (int)ExitStatus.Incomplete)]
    public void Service_StopSignal_EndsAfterTheRound(int signal, int expected)
    {
        _signals.Add(signal);
        (ExitStatus status, string output, string error) = Run();
        Assert.Equal((expected, ""), ((int)status, output));
        string[] lines = Lines(error);
        Assert.Equal($"TIME info stopping on {Signal.NameOf(signal)}", lines[^2]);
        Assert.StartsWith("TIME info totals rounds=1 matched=8 idle=7 closed=", lines[^1], StringComparison.Ordinal);
    }

    [Fact]
    public void Service_ThreeRounds_ReportsEachAndTheTotals()
    {
        // The second round finds what the first has spared, and the third also finds the socket that has been added.
        _signals.AddRange([0, 0, Signal.SIGTERM]);
        (ExitStatus status, _, string error) = Run(number =>
        {
            if (number == 3)
            {
                _scene.Socket(1000, _scene.Worker);
            }
        });
        Assert.Equal(ExitStatus.Done, status);
        Snap.Match(string.Join('\n', Lines(error)));
    }

    [Fact]
    public void Service_Sigusr1_LogsTotalsAtOnceAndAtTheEnd()
    {
        _signals.AddRange([Signal.SIGUSR1, Signal.SIGTERM]);
        (ExitStatus status, _, string error) = Run();
        Assert.Equal(ExitStatus.Done, status);
        Assert.Collection(Lines(error).Where(static line => line.Contains(" totals ", StringComparison.Ordinal)),
            static line => Assert.Contains("rounds=1 ", line, StringComparison.Ordinal),
            static line => Assert.Contains("rounds=2 ", line, StringComparison.Ordinal));
    }

    /// <summary>Without a log file there is nothing to reopen, and a service goes on.</summary>
    [Fact]
    public void Service_SighupWithoutALogFile_GoesOnAndReportsThatOptionsStay()
    {
        _signals.AddRange([Signal.SIGHUP, Signal.SIGTERM]);
        (ExitStatus status, _, string error) = Run();
        Assert.Equal(ExitStatus.Done, status);
        Assert.Contains("rounds=2 ", error, StringComparison.Ordinal);
        Assert.Single(Lines(error), static line => line == "TIME info SIGHUP only reopens the log file: changed options need a restart");
    }

    [Fact]
    public void Service_SighupWithALogFile_ReopensItAndGoesOn()
    {
        _signals.AddRange([Signal.SIGHUP, Signal.SIGTERM]);
        (ExitStatus status, _, string error) = Run(number => MoveLog(number == 1), "-f", Log);
        Assert.Equal((ExitStatus.Done, ""), (status, error));
        Assert.Contains(" destroyed ", File.ReadAllText(Log + ".1"), StringComparison.Ordinal);
        Assert.DoesNotContain(" destroyed ", File.ReadAllText(Log), StringComparison.Ordinal);
        Assert.Contains(" stopping on SIGTERM", File.ReadAllText(Log), StringComparison.Ordinal);
    }

    [Fact]
    public void Service_SighupInTheLastRound_ReopensTheLogFile()
    {
        _signals.Add(Signal.SIGTERM);
        (ExitStatus status, _, string error) = Run(_ =>
        {
            MoveLog(true);
            InProcess.Send(Signal.SIGHUP);
        }, "-f", Log);
        Assert.Equal((ExitStatus.Done, ""), (status, error));
        Assert.Contains(" stopping on SIGTERM", File.ReadAllText(Log), StringComparison.Ordinal);
    }

    /// <summary>A single run without a log file ends on SIGHUP, as other programs do.</summary>
    [Theory]
    [InlineData(Signal.SIGHUP, true)]
    [InlineData(Signal.SIGHUP, false)]
    [InlineData(Signal.SIGUSR1, false)]
    public void SingleRun_Signal_InterruptsUnlessItReopensTheLogFile(int signal, bool hasLogFile)
    {
        _scene.Host.Faults.BeforeFirst("open netlink", () => InProcess.Send(signal));
        (ExitStatus status, _, string error) = InProcess.Run(_scene.Host.Machine, ["-46", "-s", "22", .. hasLogFile ? (string[])["-f", Log] : []]);
        Assert.Equal(hasLogFile ? ExitStatus.Done : ExitStatus.Incomplete, status);
        Assert.Equal(!hasLogFile, error.Contains($" error interrupted by {Signal.NameOf(signal)}: ", StringComparison.Ordinal));
        Assert.Equal(hasLogFile, !_scene.One.IsOpen);
    }

    /// <summary>The metrics of a service that was stopped would be exported for ever, and those of one that fails raise an alarm.</summary>
    [Fact]
    public void Service_StoppedBySignal_RemovesItsMetrics()
    {
        _signals.AddRange([0, Signal.SIGTERM]);
        bool hasWritten = false;
        Assert.Equal(ExitStatus.Done, Run(round => hasWritten |= round == 2 && File.Exists(Metrics), "--metrics", Metrics).Status);
        Assert.True(hasWritten);
        Assert.False(File.Exists(Metrics));
    }

    /// <summary>Each connection has one line, although all rounds find it; a table would be no record of when.</summary>
    [Fact]
    public void Service_DryRun_LogsEachConnectionOnce()
    {
        _signals.AddRange([0, 0, Signal.SIGTERM]);
        (ExitStatus status, string output, string error) = Run(round =>
        {
            if (round == 2) // a dry run checks nothing before its first round
            {
                _scene.Socket(1000, _scene.Worker);
            }
        }, "-n");
        Assert.Equal((ExitStatus.Done, ""), (status, output));
        Assert.DoesNotContain(_scene.Host.Sockets, static socket => !socket.IsOpen);
        Snap.Match(string.Join('\n', Lines(error)));
    }

    [Fact]
    public void Service_MethodNotPossible_EndsAtOnce()
    {
        var scene = new ServerScene(new FakeHost { OpenProcErrno = Errno.ENOENT });
        (ExitStatus status, _, string error) = InProcess.Run(scene.Host.Machine, "-46", "-s", "22", "-i", "5ms", "--method", "disconnect");
        Assert.Equal(ExitStatus.NotPossible, status);
        Assert.Equal("TIME error opening /proc, which lists the processes that hold sockets: ENOENT (no such file or object); mount it: mount -t proc proc /proc",
            Assert.Single(Lines(error)[1..]));
        Assert.DoesNotContain(scene.Host.Sockets, static socket => !socket.IsOpen);
    }

    [Fact]
    public void Service_DumpNotPossible_EndsAfterTheFirstRound()
    {
        _scene.Host.Faults.Errno = static (call, _) => call == "open netlink" ? Errno.EPROTONOSUPPORT : 0;
        (ExitStatus status, _, string error) = InProcess.Run(_scene.Host.Machine, "-46", "-s", "22", "-i", "5ms", "-n");
        Assert.Equal(ExitStatus.NotPossible, status);
        Assert.DoesNotContain(" totals ", error, StringComparison.Ordinal);
    }

    [Fact]
    public void Service_UnderAServiceManager_NotifiesEachStep()
    {
        string path = Path.Combine(_directory.Path, "notify");
        using var manager = new System.Net.Sockets.Socket(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified);
        manager.Bind(new UnixDomainSocketEndPoint(path));
        _signals.AddRange([0, Signal.SIGHUP, Signal.SIGTERM]);
        (ExitStatus Status, string Out, string Error) run = default;
        InProcess.WithEnvironment(() => run = Run(null, "-f", Log), ("NOTIFY_SOCKET", path), ("WATCHDOG_USEC", "3600000000"));
        Assert.Equal((ExitStatus.Done, "", ""), run);
        List<string> notifications = [];
        byte[] buffer = new byte[4096];
        while (manager.Poll(0, SelectMode.SelectRead))
        {
            notifications.Add(Encoding.UTF8.GetString(buffer, 0, manager.Receive(buffer)).Split('\n', ' ', ':')[0]);
        }

        Assert.Equal(["READY=1", "WATCHDOG=1", "READY=1", "READY=1", "RELOADING=1", "READY=1", "READY=1", "STATUS=after", "STOPPING=1"], notifications);
    }

    private static string[] Lines(string error) => InProcess.WithoutTimes(error).Split('\n')[..^1];

    private void MoveLog(bool isTime)
    {
        if (isTime)
        {
            File.Move(Log, Log + ".1");
        }
    }

    /// <summary>Runs a service that gets one of the signals in each of its rounds (0: none).</summary>
    private (ExitStatus Status, string Out, string Error) Run(Action<int>? inRound = null, params string[] words)
    {
        _scene.Host.Faults.Before = (_, _) =>
        {
            // The first dump belongs to the check of what is possible; then every round has one.
            if (_scene.Host.Kernel.Sent.Count(Netlink.IsDump) > _dumps && _dumps++ is > 0 and var round)
            {
                inRound?.Invoke(round);
                if (round <= _signals.Count && _signals[round - 1] != 0)
                {
                    InProcess.Send(_signals[round - 1]);
                }
            }
        };
        return InProcess.Run(_scene.Host.Machine, ["-46", "-s", "22", "-t", "1s", "-i", "5ms", .. words]);
    }
}
