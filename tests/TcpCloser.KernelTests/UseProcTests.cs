using System.Globalization;
using TcpCloser.KernelTests.Harness;
using Xunit;

namespace TcpCloser.KernelTests;

/// <summary>Closing by killing the owners: all of them, nobody else, each once. Every test has its own pid namespace and /proc.</summary>
public sealed class UseProcTests
{
    private static readonly LabSurroundings s_own = new() { OwnProcesses = true };
    private static readonly string s_port = LabProcess.Port.ToString(CultureInfo.InvariantCulture);

    [Theory]
    [InlineData("--use_proc")]
    [InlineData("--use-proc")]
    public void FiftyOwnersDieAndTwoHundredDecoysLive(string option)
    {
        using var lab = LabProcess.Start(
            s_own, "--count", "1000", "--processes", "50", "--client-process", "--decoys", "10", "--decoy-processes", "200", "--decoy-files", "50");

        var result = lab.Tool(option, "-s", s_port).Expect(0);

        Assert.Equal(1000, result.Summary("closed"));
        string[] processes = lab.Ask("processes");
        // Decoy connections have a holder of the same kind; it is the 51st.
        Assert.Equal(50, processes.Count(line => line.Contains("role=server state=signal:9", StringComparison.Ordinal)));
        Assert.Equal(50, lab.State()["processes", "dead"]);
        Assert.Equal(50, Signals(result).Length);
        Assert.Equal(20, lab.State()["decoy", "alive"]);
        Assert.Equal(1000, lab.State()["client", "eof"]);
        Assert.Equal(1, lab.State()["listener", "alive"]);
    }

    [Fact]
    public void EveryProcessThatSharesTheSocketIsKilled()
    {
        using var lab = LabProcess.Start(s_own, "--count", "3", "--sharers", "2", "--client-process");

        var result = lab.Tool("--use_proc", "-s", s_port).Expect(0);

        Assert.Equal(3, result.Summary("closed"));
        Assert.Equal(3, Signals(result).Length);
        Assert.Equal(3, lab.State()["processes", "dead"]);
        Assert.Equal(3, lab.State()["client", "eof"]);
    }

    [Theory]
    [InlineData("TERM", "", "signal:15")]
    [InlineData("SIGTERM", "--clean-term", "exit:0")]
    [InlineData("15", "--clean-term", "exit:0")]
    [InlineData("KILL", "--ignore-term", "signal:9")]
    [InlineData("INT", "--ignore-term", "signal:2")]
    public void TheSignalAskedForIsSent(string signal, string onTerm, string fate)
    {
        string[] option = onTerm.Length == 0 ? [] : [onTerm];
        using var lab = LabProcess.Start(s_own, ["--count", "4", "--processes", "2", "--client-process", .. option]);

        var result = lab.Tool("--use_proc", "--signal", signal, "-s", s_port).Expect(0);

        Assert.Equal(4, result.Summary("closed"));
        Until.True(() => lab.State()["processes", "dead"] == 2, "both deaths");
        Assert.Equal(2, lab.Ask("processes").Count(line => line.EndsWith("role=server state=" + fate, StringComparison.Ordinal)));
    }

    [Fact]
    public void AnOwnerThatIgnoresTheSignalIsReportedAsFailed()
    {
        using var lab = LabProcess.Start(s_own, "--count", "2", "--ignore-term");

        var result = lab.Tool("--use_proc", "--signal", "TERM", "-s", s_port).Expect(1);

        Assert.Equal(2, result.Summary("failed"));
        Assert.Equal(0, result.Summary("closed"));
        Assert.Equal(2, lab.State()["server", "alive"]);
    }

    [Fact]
    public void TheOwnerOfABusyConnectionIsNotKilled()
    {
        using var lab = LabProcess.Start(s_own, "--count", "20", "--busy", "10", "--processes", "2", "--client-process");
        lab.WaitIdle(10, 500);

        var result = lab.Tool("--use_proc", "-s", s_port, "-t", "500").Expect(0);

        Assert.Equal(10, result.Summary("closed"));
        var state = lab.State();
        Assert.Equal(1, state["processes", "dead"]);
        Assert.Equal(10, state["server", "alive"]);
        Assert.Equal(10, state["client", "alive"]);
    }

    [Theory]
    [InlineData("run")]
    [InlineData("run-inheriting")] // then the program holds a connection itself, too
    public void NeitherItselfNorAnAncestorIsKilled(string command)
    {
        // The own session would be spared anyway: here the connections are asked for all the same, and the processes are not.
        using var lab = LabProcess.Start(s_own, "--count", "4", "--processes", "2", "--client-process");

        string[] output = lab.Ask($"{command} {Binaries.Tool} --use_proc -s {s_port} --include-own-session --disable-syslog");

        // The process that runs it has the first two connections; the other two are not its own.
        Assert.Equal("exit:1", output[^1]);
        Assert.Equal(2, Result.Summary(output, "failed"));
        Assert.Equal(2, Result.Summary(output, "closed"));
        Assert.Equal(2, lab.State()["server", "alive"]);
        Assert.Equal(2, lab.State()["client", "alive"]);
        Assert.Equal(1, lab.State()["processes", "dead"]);
    }

    [Fact]
    public void ProcessOneIsNotKilled()
    {
        using var lab = LabProcess.Start(s_own, "--state", "unaccepted");
        Assert.StartsWith("accept=ok", Assert.Single(lab.Ask("accept")), StringComparison.Ordinal); // the Lab has it now, as process 1

        var result = lab.Tool("--use_proc", "-s", s_port).Expect(1);

        Assert.Equal(1, result.Summary("failed"));
        Assert.Equal(1, lab.State()["client", "alive"]);
    }

    [Theory]
    [InlineData("unaccepted", 3)]
    [InlineData("time-wait", 3)]
    public void WhatHasNoOwnerIsReportedAsFailed(string state, int count)
    {
        using var lab = LabProcess.Start(s_own, "--count", $"{count}", "--state", state);

        var result = lab.Tool("--use_proc", "-s", s_port, "--state", "established,time-wait").Expect(1);

        Assert.Equal(count, result.Summary("failed"));
        Assert.Empty(Signals(result));
        Assert.Equal(0, lab.State()["processes", "dead"]);
    }

    [Fact]
    public void WhoMayNotLookIntoOtherProcessesIsTold()
    {
        using var lab = LabProcess.Start(s_own, "--count", "2");
        Assert.SkipWhen(Namespaces.NeedUserNamespace, "in a user namespace there is no second user to be");

        var result = new ToolRun(lab)
        {
            Wrapper = ["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups"],
            Arguments = ["--use_proc", "-s", s_port, "--disable-syslog"],
        }.Run().Expect(3);

        Assert.Equal(0, result.Summary("closed"));
        Assert.Equal(2, lab.State()["server", "alive"]);
    }

    private static string[] Signals(Result result) => [.. result.Log.Where(line => line.Contains(" to pid=", StringComparison.Ordinal))];
}
