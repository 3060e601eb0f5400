namespace TcpCloser.KernelTests;

/// <summary>
/// Closing by killing the holders: all of them, no other process, each once. Every test has its own pid namespace and
/// /proc.
/// </summary>
public sealed class UseProcTests
{
    [Theory]
    [Values("--use_proc", "--use-proc")]
    public void Kill_FiftyOwnersAndTwoHundredDecoys_KillsExactlyTheOwners(string option)
    {
        using var lab = LabProcess.StartIsolated(
            "--count", "1000", "--processes", "50", "--client-process", "--decoys", "10", "--decoy-processes", "200", "--decoy-files", "50");
        var result = lab.Tool(option, "-s", LabProcess.PortText).Expect(0, "closed=1000");

        string[] processes = lab.Ask("processes");
        // The decoy connections have a holder of the same kind, the 51st.
        Assert.Equal(50, processes.Count(line => line.Contains("role=server state=signal:9")));
        lab.ExpectState("processes dead=50");
        Assert.Equal(50, Signals(result).Length);
        lab.ExpectState("decoy alive=20, listener alive=1");
        lab.AwaitState("client eof=1000");
    }

    [Fact]
    public void Kill_SocketSharedByThreeProcesses_KillsAll()
    {
        using var lab = LabProcess.StartIsolated("--count", "3", "--sharers", "2", "--client-process");
        var result = lab.Tool("--use_proc", "-s", LabProcess.PortText).Expect(0, "closed=3");
        Assert.Equal(3, Signals(result).Length);
        lab.ExpectState("processes dead=3");
        lab.AwaitState("client eof=3");
    }

    [Theory]
    [Rows("SIGTERM | --clean-term | exit:0", "15 | --clean-term | exit:0", "KILL | --ignore-term | signal:9",
        "INT | --ignore-term | signal:2")]
    [InlineData("TERM", "", "signal:15")]
    public void Kill_SignalGiven_IsSent(string signal, string onTerm, string fate)
    {
        string[] option = onTerm.Length == 0 ? [] : [onTerm];
        using var lab = LabProcess.StartIsolated(["--count", "4", "--processes", "2", "--client-process", .. option]);
        lab.Tool("--use_proc", "--signal", signal, "-s", LabProcess.PortText).Expect(0, "closed=4");
        Until.True(() => lab.State()["processes", "dead"] == 2, "both deaths");
        Assert.Equal(2, lab.Ask("processes").Count(line => line.EndsWith("role=server state=" + fate, StringComparison.Ordinal)));
    }

    [Fact]
    public void Kill_OwnerIgnoresTheSignal_ReportsFailed()
    {
        using var lab = LabProcess.StartIsolated("--count", "2", "--ignore-term");
        lab.Tool("--use_proc", "--signal", "TERM", "-s", LabProcess.PortText).Expect(1, "failed=2 closed=0");
        lab.ExpectState("server alive=2");
    }

    [Theory]
    [InlineData("run")]
    [InlineData("run-inheriting")] // then the program itself also holds a connection
    public void Kill_ItselfOrAnAncestorHoldsConnections_KillsNeither(string command)
    {
        // The session's own connection would be spared anyway: here it is included, but the processes are still not killed.
        using var lab = LabProcess.StartIsolated("--count", "4", "--processes", "2", "--client-process");
        string[] output = lab.Ask($"{command} {Binaries.Tool} --use_proc -s {LabProcess.PortText} --include-own-session --disable-syslog");

        // The process that runs the program holds the first two connections; it does not hold the other two.
        Assert.Equal("exit:1", output[^1]);
        Assert.Equal(2, Result.Summary(output, "failed"));
        Assert.Equal(2, Result.Summary(output, "closed"));
        lab.ExpectState("server alive=2, client alive=2, processes dead=1");
    }

    [Fact]
    public void Kill_ProcessOneHoldsTheSocket_IsNotKilled()
    {
        using var lab = LabProcess.StartIsolated("--state", "unaccepted");
        Assert.StartsWith("accept=ok", Assert.Single(lab.Ask("accept")), StringComparison.Ordinal); // now the Lab holds it, as process 1
        lab.Tool("--use_proc", "-s", LabProcess.PortText).Expect(1, "failed=1");
        lab.ExpectState("client alive=1");
    }

    [Fact]
    public void DryRun_KillMethod_NamesTheProcessesAndTheirOtherConnections()
    {
        using var lab = LabProcess.StartIsolated("--count", "4", "--ports", "2", "--client-process");
        int server = Assert.Single(lab.Processes("server"));
        var result = lab.Tool("-n", "--use-proc", "-s", $"{LabProcess.Port}").Expect(0);

        Assert.Equal(2, result.Stdout.Split('\n').Count(line => line.Contains($"[{server}]")));
        // The process also holds two connections on the other port.
        // Its parent, the Lab, runs the same program: as with PostgreSQL, a SIGKILL may end more than the one process.
        Assert.Contains("kill (2 other connections; a SIGKILL may end the family of process ", result.Stdout, StringComparison.Ordinal);
        Assert.Single(result.Log, line => line.Contains($" warning process {server} runs the same program as its parent: "));
        Assert.Contains("kill (2 other connections)", lab.Tool("-n", "--use-proc", "--signal", "TERM", "-s", $"{LabProcess.Port}").Expect(0).Stdout, StringComparison.Ordinal);
        lab.ExpectState("server alive=4, processes dead=0");
    }

    private static string[] Signals(Result result) => [.. result.Log.Where(line => line.Contains(" to pid="))];
}
