namespace TcpCloser.Tests.Run;

/// <summary>A single run from its command line to its exit status, on a fake machine.</summary>
public sealed class ProgramTests : IDisposable
{
    private readonly TemporaryDirectory _directory = new();
    private readonly ServerScene _scene = new(new FakeHost());

    private string Log => Path.Combine(_directory.Path, "log");
    private string Metrics => Path.Combine(_directory.Path, "rule.prom");

    public void Dispose() => _directory.Dispose();

    [Theory]
    [Rows("destroy | -46 -s 22 -t 1s", "verbose | -46 -s 22 -t 1s -v", "json_verbose | -46 -s 22 -t 1s --json -v", "dry_run | -46 -s 22 -n",
        "dry_run_json | -46 -s 22 -n --json --method kill", "dry_run_keepalive | -46 -s 22 -n --json --method keepalive",
        "dry_run_kill | -46 -s 22 -n -v --method kill", "dry_run_max | -46 -s 22 -n --max 1", "max | -46 -s 22 --max 5",
        "max_keepalive | -46 -s 22 --max 5 --method keepalive", "max_kept | -46 -s 22 --max 6",
        "max_kill | -46 -s 22 -t 1s --max 5 --method kill", "max_kill_kept | -46 -s 22 -t 1s --max 7 --method kill",
        "kill | -46 -s 22 -t 1s --method kill --signal TERM --grace 5ms",
        "disconnect | -46 -s 22 --method disconnect --include-own-session --json", "keepalive | -46 -s 22 --method keepalive",
        "group_port | -46 -s 22 --group-by port", "group_process | -46 -s 22 --group-by process -v",
        "group_json | -46 -s 22 --group-by uid --json --name db", "json_group_verbose | -46 -s 22 -t 1s --group-by netns --json -v",
        "nothing | -46 -s 23", "quiet | -46 -s 22 -q", "hints | -46 -s 22 -t 60 --last-recv-limit 90", "probe | -46 -s 22 -n --probe 3s",
        "processes | -46 -s 22 -n --pid 201,4711", "no_processes | -46 -s 22 --comm nobody",
        "limit | -46 -s 22 -t 1s --limit 2 -v", "limit_kill | -46 -s 22 -t 1s --limit 5 --method kill --json",
        "dry_run_limit | -46 -s 22 -t 1s -n --limit 2 --keep 1/uid", "dry_run_limit_0 | -46 -s 22 -t 1s -n --limit 0",
        "dry_run_keep_kill | -46 -s 22 -t 1s -n --keep 2/state --method kill", "limit_max | -46 -s 22 -t 1s --limit 2 --max 1",
        "keep | -46 -s 22 -t 1s --keep 1/process --json", "exclusions | -46 -s 22 -t 1s -n --not-uid 0 --not-comm dbus-daemon",
        "no_namespace | -46 -s 22 --netns /no/such", "check | --check",
        "check_json | --check --json")]
    [InlineData("json", "-46", "-s", "22", "-t", "1s", "--json", "--name", "db clients")]
    public void Run_CommandLine_MatchesTheTranscript(string name, params string[] words) =>
        Snap.Match(InProcess.Transcript(_scene.Host.Machine, words), name);

    /// <summary>If the user namespace does not map every user, the overflow uid is nobody's in particular.</summary>
    [Theory]
    [Rows("65534 | 0 | Usage", "null | 0 | Done", "65534 | ENOENT | Done")]
    public void Uid_OverflowUid_IsRefusedIfUsersAreKnownToBeUnmapped(uint? overflowUid, int openProcErrno, int status)
    {
        var host = new FakeHost { OpenProcErrno = openProcErrno, OverflowUid = overflowUid };
        (ExitStatus, string, string Error) run = InProcess.Run(host.Machine, "--uid", "1000,65534", "--dst", "192.0.2.1");
        Assert.Equal(status, (int)run.Item1);
        Assert.Equal(status == (int)ExitStatus.Usage, run.Error.StartsWith("tcp-closer: --uid '65534': ", StringComparison.Ordinal));
    }

    /// <summary>A service manager would start the run again and again. A run that closes nothing is allowed there.</summary>
    [Theory]
    [InlineData((int)ExitStatus.Usage)]
    [InlineData((int)ExitStatus.Done, "-n")]
    public void SingleRun_StartedByAServiceManager_IsRefusedIfItWouldClose(int status, params string[] words) =>
        InProcess.WithEnvironment(
            () => Assert.Equal(status, (int)InProcess.Run(_scene.Host.Machine, ["-46", "-s", "22", .. words]).Status),
            ("NOTIFY_SOCKET", Path.Combine(_directory.Path, "notify")));

    [Fact]
    public void Run_ConnectionThatIsSending_MatchesTheTranscript()
    {
        _scene.One.Dumped = _scene.One.Dumped with { LastDataSent = 5 };
        Snap.Match(InProcess.Transcript(_scene.Host.Machine, "-46", "-s", "22", "-t", "1s", "-n") + InProcess.Transcript(_scene.Host.Machine, "-46", "-s", "22", "-t", "1s"));
    }

    /// <summary>An MPTCP connection is closed whole, or not at all.</summary>
    [Theory]
    [Values("destroy", "disconnect")]
    public void Run_MptcpConnection_MatchesTheTranscript(string method)
    {
        _scene.AddMptcp(_scene.Worker);
        Snap.Match(InProcess.Transcript(_scene.Host.Machine, "-4", "-s", "22", "-t", "1s", "--method", method), method);
    }

    [Fact]
    public void Check_KernelWithoutInetDiag_MatchesTheTranscript()
    {
        var kernel = FakeKernel.Answering(Answer.Of(Netlink.ErrorMessage(Errno.EOPNOTSUPP)));
        var machine = new Machine(new FakeNamespace(kernel), _scene.Host.OpenProcesses);
        Snap.Match(InProcess.Transcript(machine, "--check") + InProcess.Transcript(machine, "--check", "--json"));
    }

    [Fact]
    public void Run_NothingIsPossible_MatchesTheTranscript()
    {
        var scene = new ServerScene(new FakeHost { DestroyErrno = Errno.EOPNOTSUPP, OpenProcErrno = Errno.ENOENT });
        Snap.Match(InProcess.Transcript(scene.Host.Machine, "--check") + InProcess.Transcript(scene.Host.Machine, "--check", "--json")
            + InProcess.Transcript(scene.Host.Machine, "-46", "-s", "22") + InProcess.Transcript(scene.Host.Machine, "-46", "-s", "22", "-v", "-n"));
    }

    [Theory]
    [Values("--help", "--version")]
    public void HelpOrVersion_Requested_IsPrintedToStdout(string word)
    {
        (ExitStatus status, string output, string error) = Run(word);
        Assert.Equal((ExitStatus.Done, ""), (status, error));
        Assert.StartsWith("tcp-closer ", output, StringComparison.Ordinal);
    }

    [Fact]
    public void Run_UnknownOption_IsAUsageError()
    {
        (ExitStatus status, string output, string error) = Run("-s", "22", "--idletime", "5");
        Assert.Equal((ExitStatus.Usage, ""), (status, output));
        Assert.Matches("^tcp-closer: .*--idle-time.*\nTry 'tcp-closer --help'\n$", error);
        Assert.Empty(_scene.Host.Faults.Calls);
    }

    [Fact]
    public void Run_LogFileCannotBeOpened_IsAUsageError()
    {
        (ExitStatus status, _, string error) = Run("-s", "22", "-f", Path.Combine(_directory.Path, "no", "log"));
        Assert.Equal(ExitStatus.Usage, status);
        Assert.StartsWith("tcp-closer: -f/--logfile ", error, StringComparison.Ordinal);
        Assert.Contains("ENOENT", error, StringComparison.Ordinal);
        Assert.Empty(_scene.Host.Faults.Calls);
    }

    [Fact]
    public void LogFile_QuietRunOrNot_HasTheLinesAndQuietCopiesErrorsToStderr()
    {
        (ExitStatus status, string output, string error) = Run("-46", "-s", "22", "--method", "disconnect", "-f", Log);
        Assert.Equal((ExitStatus.Incomplete, "", ""), (status, output, error));
        Assert.Contains(" info summary matched=8 ", File.ReadAllText(Log), StringComparison.Ordinal);
        File.Delete(Log);
        (_, _, error) = InProcess.Run(new ServerScene(new FakeHost()).Host.Machine, "-46", "-s", "22", "--method", "disconnect", "-f", Log, "-q");
        Assert.Contains(" error failed ", error, StringComparison.Ordinal);
        Assert.Equal(File.ReadAllText(Log), error);
        Assert.All(error.Split('\n')[..^1], static line => Assert.Contains(" error ", line, StringComparison.Ordinal));
    }

    [Fact]
    public void Metrics_AfterTwoRuns_AreThoseOfTheLastRun()
    {
        AssertMetrics("-46 -s 22", "connections_total{outcome=\"destroyed\"} 6");
        AssertMetrics("-46 -s 22", "connections_total{outcome=\"destroyed\"} 0", "matched_connections 2");
    }

    [Fact]
    public void Metrics_DryRun_CountWhatWouldBeClosed() => AssertMetrics("-46 -s 22 -t 1s -n --method disconnect",
        "connections_total{outcome=\"would_close\"} 4", "connections_total{outcome=\"no_owner\"} 1", "connections_total{outcome=\"left_alone\"} 1");

    [Fact]
    public void Metrics_CannotBeWritten_MakeTheRunIncomplete()
    {
        (ExitStatus status, _, string error) = Run("-46", "-s", "22", "--metrics", Path.Combine(_directory.Path, "no", "rule.prom"));
        Assert.Equal(ExitStatus.Incomplete, status);
        Assert.Contains(" error writing the metrics ", error, StringComparison.Ordinal);
    }

    [Theory]
    [Rows("-f /dev/full", "-n", "--json", "--help")]
    public void Output_CannotBeWritten_MakesTheRunIncomplete(params string[] words)
    {
        ExitStatus status = (ExitStatus)(-1);
        string error = Written.ToStderr(() => Written.ToFull(1, () => status = InProcess.OnThread(_scene.Host.Machine, ["-46", "-s", "22", .. words])));
        Assert.Equal(ExitStatus.Incomplete, status);
        Assert.Contains("ENOSPC (no space left on device)", error, StringComparison.Ordinal);
        Assert.Equal(words[0] is "-n" or "--json", error.Contains(" error writing to stdout: ENOSPC", StringComparison.Ordinal));
    }

    /// <summary>A reader such as head(1) closes its end early.</summary>
    [Theory]
    [Rows("-n -s 22", "--group-by port", "--check", "--help", "--version")]
    public void Table_ReaderGone_IsNotAFailure(params string[] words)
    {
        (ExitStatus status, string error) = RunIntoClosedPipe(words);
        Assert.Equal(ExitStatus.Done, status);
        Assert.DoesNotContain(" error ", error, StringComparison.Ordinal);
        Assert.DoesNotContain("EPIPE", error, StringComparison.Ordinal);
    }

    [Theory]
    [Rows("-46 -s 22 --json", "-46 -s 22 --json -n", "--group-by port --json", "--check --json")]
    public void Records_ReaderGone_IsReportedOnceAndExits1(params string[] words)
    {
        (ExitStatus status, string error) = RunIntoClosedPipe(words);
        Assert.Equal(ExitStatus.Incomplete, status);
        Assert.Single(error.Split('\n'), static line => line.EndsWith(" error the reader closed stdout: the records are incomplete", StringComparison.Ordinal));
        Assert.DoesNotContain("EPIPE", error, StringComparison.Ordinal);
    }

    [Fact]
    public void Records_ReaderGone_StillClosesEverything()
    {
        _ = RunIntoClosedPipe("-46", "-s", "22", "--json");
        Assert.Equal("destroy", _scene.One.EndedBy);
    }

    [Fact]
    public void Time_ShortWithoutAUnitInAQuietRun_IsWarnedAbout()
    {
        (_, _, string error) = Run("-46", "-s", "22", "-t", "60", "-q");
        Assert.Matches("^[^ ]+ warning -t 60 is 60 ms; for seconds 60s\n$", error);
    }

    /// <summary>A run waits for the reader of its records until a signal arrives.</summary>
    [Fact]
    public void Records_ReaderStallsUntilASignal_ReportsTheLostLines()
    {
        using var pipe = new Pipe();
        for (int i = 0; i < 100; i++)
        {
            _scene.Socket(1000, _scene.Worker);
        }

        // After the last connection was destroyed, and before its records are written.
        _scene.Host.Faults.BeforeFirst("send destroy", static () => InProcess.Send(Signal.SIGTERM));
        ExitStatus status = (ExitStatus)(-1);
        string error = Written.ToStderr(() => Written.ToDescriptor(1, pipe.Writer, () => status = InProcess.OnThread(_scene.Host.Machine, "-46", "-s", "22", "--json")));
        Assert.Equal(ExitStatus.Incomplete, status);
        Assert.Matches(" error [0-9]+ lines to stdout were lost: the reader stalled\n$", error);
        Assert.EndsWith("}\n", pipe.Read(), StringComparison.Ordinal);
    }

    /// <summary>With a service's own options, --check also reports whether that service makes its rounds.</summary>
    [Theory]
    [InlineData(-1.0, "yes", ExitStatus.Done)]
    [InlineData(-39.0, "yes", ExitStatus.Done)] // three intervals of 10 s, and 10 s of --probe
    [InlineData(-42.0, "no   the last round ended 42s ago; 3 intervals and the time of a round are 40s", ExitStatus.Incomplete)]
    [InlineData(3600.0, "no   the last round ended in the future: the clock was set back", ExitStatus.Incomplete)]
    [InlineData(null, "no   '*' does not contain the metrics of a round", ExitStatus.Incomplete)]
    [InlineData(0.0, "no   reading the metrics of the service '*': ENOENT (no such file or object); " +
        "no service with this --metrics is running, or its first round is not complete yet", ExitStatus.Incomplete)]
    public void Check_OptionsOfAService_ReportsWhetherItsLastRoundIsRecent(double? age, string answer, object expected)
    {
        using var directory = new TemporaryDirectory();
        string path = Path.Combine(directory.Path, "db.prom");
        if (age != 0)
        {
            double ended = DateTimeOffset.UtcNow.ToUnixTimeMilliseconds() / 1000.0 + age ?? 0;
            File.WriteAllText(path, age is null ? "# HELP other_metrics\n" : "# HELP tcp_closer_last_round_timestamp_seconds When.\n" +
                string.Create(System.Globalization.CultureInfo.InvariantCulture, $"tcp_closer_last_round_timestamp_seconds{{rule=\"a b\"}} {ended}\n") +
                "tcp_closer_last_round_duration_seconds{rule=\"a b\"} 0.5\n");
        }

        (ExitStatus status, string output, _) = Run("--check", "--name", "a b", "-i", "10s", "-s", "22", "--probe", "10s", "--metrics", path);
        Assert.Equal(expected, status);
        Assert.Equal("service           " + answer.Replace("*", path, StringComparison.Ordinal), output.Split('\n')[^2]);
    }

    [Fact]
    public void Check_ImpossibleService_ReportsThatFirst() => Assert.Equal(ExitStatus.NotPossible,
        InProcess.Run(new ServerScene(new FakeHost { DestroyErrno = Errno.EOPNOTSUPP, OpenProcErrno = Errno.ENOENT }).Host.Machine,
            "--check", "-i", "10s", "--metrics", "/no/such/file").Status);

    [Fact]
    public void Run_UnexpectedException_IsReportedInOneLine()
    {
        Assert.Equal((ExitStatus.Incomplete, "", "tcp-closer: unexpected error\n"),
            RunCheck(static () => throw new InvalidOperationException()));
        Assert.Equal((ExitStatus.Incomplete, "", "tcp-closer: out of memory\n"), RunCheck(static () => throw new InsufficientMemoryException()));
    }

    private (ExitStatus Status, string Out, string Error) RunCheck(Func<IProcessTable> openProcesses) =>
        InProcess.Run(new Machine(_scene.Host.Network, openProcesses), "--check");

    private void AssertMetrics(string words, params string[] metrics)
    {
        Run([.. words.Split(' '), "--metrics", Metrics]);
        string[] lines = File.ReadAllLines(Metrics);
        Assert.All(metrics, metric => Assert.Contains("tcp_closer_" + metric, lines));
    }

    private (ExitStatus Status, string Out, string Error) Run(params string[] words) => InProcess.Run(_scene.Host.Machine, words);

    private (ExitStatus Status, string Error) RunIntoClosedPipe(params string[] words)
    {
        using var pipe = new Pipe();
        pipe.CloseReader();
        ExitStatus status = (ExitStatus)(-1);
        string error = Written.ToStderr(() => Written.ToDescriptor(1, pipe.Writer, () => status = InProcess.OnThread(_scene.Host.Machine, words)));
        return (status, error);
    }
}
