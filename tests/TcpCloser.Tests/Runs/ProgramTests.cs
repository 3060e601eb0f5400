using TcpCloser.Interop;
using TcpCloser.Proc;
using TcpCloser.Tests.Support;
using Netlink = TcpCloser.Tests.Support.Netlink;

namespace TcpCloser.Tests.Runs;

/// <summary>A single run from its words to its exit status, on a machine that is made up.</summary>
public sealed class ProgramTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly ServerScene _scene = new(new FakeHost());

    private string Log => Path.Combine(_folder.Path, "log");

    private string Metrics => Path.Combine(_folder.Path, "rule.prom");

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("destroy", "-46", "-s", "22", "-t", "1s")]
    [InlineData("verbose", "-46", "-s", "22", "-t", "1s", "-v")]
    [InlineData("json", "-46", "-s", "22", "-t", "1s", "--json", "--name", "db clients")]
    [InlineData("json_verbose", "-46", "-s", "22", "-t", "1s", "--json", "-v")]
    [InlineData("dry_run", "-46", "-s", "22", "-n")]
    [InlineData("dry_run_json", "-46", "-s", "22", "-n", "--json", "--method", "kill")]
    [InlineData("dry_run_cure", "-46", "-s", "22", "-n", "--json", "--method", "keepalive")]
    [InlineData("dry_run_kill", "-46", "-s", "22", "-n", "-v", "--method", "kill")]
    [InlineData("dry_run_max", "-46", "-s", "22", "-n", "--max", "1")]
    [InlineData("max", "-46", "-s", "22", "--max", "5")]
    [InlineData("max_cure", "-46", "-s", "22", "--max", "5", "--method", "keepalive")]
    [InlineData("max_kept", "-46", "-s", "22", "--max", "6")]
    [InlineData("max_kill", "-46", "-s", "22", "-t", "1s", "--max", "5", "--method", "kill")]
    [InlineData("max_kill_kept", "-46", "-s", "22", "-t", "1s", "--max", "7", "--method", "kill")]
    [InlineData("kill", "-46", "-s", "22", "-t", "1s", "--method", "kill", "--signal", "TERM", "--grace", "5ms")]
    [InlineData("disconnect", "-46", "-s", "22", "--method", "disconnect", "--include-own-session", "--json")]
    [InlineData("keepalive", "-46", "-s", "22", "--method", "keepalive")]
    [InlineData("group_port", "-46", "-s", "22", "--group-by", "port")]
    [InlineData("group_process", "-46", "-s", "22", "--group-by", "process", "-v")]
    [InlineData("group_json", "-46", "-s", "22", "--group-by", "uid", "--json", "--name", "db")]
    [InlineData("json_group_verbose", "-46", "-s", "22", "-t", "1s", "--group-by", "netns", "--json", "-v")]
    [InlineData("nothing", "-46", "-s", "23")]
    [InlineData("quiet", "-46", "-s", "22", "-q")]
    [InlineData("remarks", "-46", "-s", "22", "-t", "60", "--last-recv-limit", "90")]
    [InlineData("probe", "-46", "-s", "22", "-n", "--probe", "3s")]
    [InlineData("processes", "-46", "-s", "22", "-n", "--pid", "201,4711")]
    [InlineData("no_processes", "-46", "-s", "22", "--comm", "nobody")]
    [InlineData("no_cgroup", "-46", "-s", "23", "--cgroup", "/sys/fs/cgroup/no.such")]
    [InlineData("no_namespace", "-46", "-s", "22", "--netns", "no.such")]
    [InlineData("check", "--check")]
    [InlineData("check_json", "--check", "--json")]
    public void Transcript(string name, params string[] words) => Snap.Match(InProcess.Transcript(_scene.Host.Machine, words), name);

    [Fact]
    public void WhoIsSending()
    {
        _scene.One.Dumped = _scene.One.Dumped with { LastDataSent = 5 };
        Snap.Match(InProcess.Transcript(_scene.Host.Machine, "-46", "-s", "22", "-t", "1s", "-n") + InProcess.Transcript(_scene.Host.Machine, "-46", "-s", "22", "-t", "1s"));
    }

    /// <summary>A connection of MPTCP is closed whole, or not at all.</summary>
    [Theory]
    [InlineData("destroy")]
    [InlineData("disconnect")]
    public void Mptcp(string method)
    {
        _scene.AddMptcp(_scene.Worker);
        Snap.Match(InProcess.Transcript(_scene.Host.Machine, "-4", "-s", "22", "-t", "1s", "--method", method), method);
    }

    [Fact]
    public void AKernelWithoutInetDiag()
    {
        var kernel = FakeKernel.Answering(Answer.Of(Netlink.ErrorMessage(Errno.EOPNOTSUPP)));
        var machine = new Machine(new FakeNamespace(kernel), _scene.Host.OpenProcesses);
        Snap.Match(InProcess.Transcript(machine, "--check") + InProcess.Transcript(machine, "--check", "--json"));
    }

    [Fact]
    public void WhatIsNotPossibleHere()
    {
        var scene = new ServerScene(new FakeHost { DestroyErrno = Errno.EOPNOTSUPP, OpenProcErrno = Errno.ENOENT });
        Snap.Match(InProcess.Transcript(scene.Host.Machine, "--check") + InProcess.Transcript(scene.Host.Machine, "--check", "--json")
            + InProcess.Transcript(scene.Host.Machine, "-46", "-s", "22") + InProcess.Transcript(scene.Host.Machine, "-46", "-s", "22", "-v", "-n"));
    }

    [Theory]
    [InlineData("--help")]
    [InlineData("--version")]
    public void TextGoesToStdout(string word)
    {
        (ExitStatus status, string output, string error) = Run(word);
        Assert.Equal((ExitStatus.Done, ""), (status, error));
        Assert.StartsWith("tcp-closer ", output, StringComparison.Ordinal);
    }

    [Fact]
    public void WordsThatCannotBeMeant()
    {
        (ExitStatus status, string output, string error) = Run("-s", "22", "--idletime", "5");
        Assert.Equal((ExitStatus.Usage, ""), (status, output));
        Assert.Matches("^tcp-closer: .*--idle-time.*\nTry 'tcp-closer --help'\n$", error);
        Assert.Empty(_scene.Host.Faults.Calls);
    }

    [Fact]
    public void ALogFileThatCannotBeOpened()
    {
        (ExitStatus status, _, string error) = Run("-s", "22", "-f", Path.Combine(_folder.Path, "no", "log"));
        Assert.Equal(ExitStatus.Usage, status);
        Assert.StartsWith("tcp-closer: -f/--logfile ", error, StringComparison.Ordinal);
        Assert.Contains("ENOENT", error, StringComparison.Ordinal);
        Assert.Empty(_scene.Host.Faults.Calls);
    }

    [Fact]
    public void TheLogFileHasTheLinesAndAQuietRunSaysTheWorstOnStderrToo()
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
    public void TheMetricsHaveWhatTheLastRunDid()
    {
        Run("-46", "-s", "22", "--metrics", Metrics);
        Assert.Contains("tcp_closer_connections_total{outcome=\"destroyed\"} 6", File.ReadAllLines(Metrics));
        Run("-46", "-s", "22", "--metrics", Metrics);
        string[] lines = File.ReadAllLines(Metrics);
        Assert.Contains("tcp_closer_connections_total{outcome=\"destroyed\"} 0", lines);
        Assert.Contains("tcp_closer_matched_connections 2", lines);
    }

    [Fact]
    public void TheMetricsOfADryRunHaveWhatWouldBeClosedAndWhatWouldNot()
    {
        Run("-46", "-s", "22", "-t", "1s", "-n", "--method", "disconnect", "--metrics", Metrics);
        string[] lines = File.ReadAllLines(Metrics);
        Assert.Contains("tcp_closer_connections_total{outcome=\"would_close\"} 4", lines);
        Assert.Contains("tcp_closer_connections_total{outcome=\"no_owner\"} 1", lines);
        Assert.Contains("tcp_closer_connections_total{outcome=\"left_alone\"} 1", lines);
    }

    [Fact]
    public void MetricsThatCannotBeWrittenAreNotDone()
    {
        (ExitStatus status, _, string error) = Run("-46", "-s", "22", "--metrics", Path.Combine(_folder.Path, "no", "rule.prom"));
        Assert.Equal(ExitStatus.Incomplete, status);
        Assert.Contains(" error writing the metrics ", error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("-f", "/dev/full")]
    [InlineData("-n")]
    [InlineData("--json")]
    [InlineData("--help")]
    public void OutputThatCannotBeWrittenIsNotDone(params string[] words)
    {
        ExitStatus status = (ExitStatus)(-1);
        string error = Written.ToStderr(() => Written.ToFull(1, () => status = InProcess.OnThread(_scene.Host.Machine, ["-46", "-s", "22", .. words])));
        Assert.Equal(ExitStatus.Incomplete, status);
        Assert.Equal(words[0] != "--help", error.Contains("ENOSPC (no space left on device)", StringComparison.Ordinal));
        Assert.Equal(words[0] is "-n" or "--json", error.Contains(" error writing to stdout: ENOSPC", StringComparison.Ordinal));
    }

    /// <summary>A run waits for the reader of its records, until a signal comes: what is lost then is told, and it is not done.</summary>
    [Fact]
    public void ARunWhoseReaderStallsTellsWhatWasLost()
    {
        using var pipe = new Pipe();
        for (int i = 0; i < 100; i++)
        {
            _scene.Socket(1000, _scene.Worker);
        }

        bool isSent = false;
        _scene.Host.Faults.Before = (call, _) =>
        {
            // After the last connection was destroyed, and before the records of it are written.
            if (call == "send destroy" && !isSent)
            {
                isSent = true;
                InProcess.Send(Signal.SIGTERM);
            }
        };
        ExitStatus status = (ExitStatus)(-1);
        string error = Written.ToStderr(() => Written.ToDescriptor(1, pipe.Writer, () => status = InProcess.OnThread(_scene.Host.Machine, "-46", "-s", "22", "--json")));
        Assert.Equal(ExitStatus.Incomplete, status);
        Assert.Matches(" error [0-9]+ lines to stdout were lost: their reader had stalled\n$", error);
        Assert.EndsWith("}\n", pipe.Read(), StringComparison.Ordinal);
    }

    [Fact]
    public void WhatNobodyForesawIsToldInOneLine()
    {
        Assert.Equal((ExitStatus.Incomplete, "", "tcp-closer: failed for a reason that was not foreseen\n"),
            CheckWhere(static () => throw new InvalidOperationException()));
        Assert.Equal((ExitStatus.Incomplete, "", "tcp-closer: out of memory\n"), CheckWhere(static () => throw new InsufficientMemoryException()));
    }

    private (ExitStatus Status, string Out, string Error) CheckWhere(Func<IProcessTable> openProcesses) =>
        InProcess.Run(new Machine(_scene.Host.Network, openProcesses), "--check");

    private (ExitStatus Status, string Out, string Error) Run(params string[] words) => InProcess.Run(_scene.Host.Machine, words);
}
