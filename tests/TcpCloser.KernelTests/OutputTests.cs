using System.Globalization;

namespace TcpCloser.KernelTests;

/// <summary>
/// What an operator sees before anything is closed: the owners, where the idle connections are, and what was not
/// searched.
/// </summary>
public sealed class OutputTests
{
    [Fact]
    public void DryRunTable_IdleConnections_NamesOwnerAndBothIdleTimes()
    {
        using var lab = LabProcess.StartIsolated("--count", "2", "--client-process");
        lab.WaitIdle(2, 1100);
        int server = Assert.Single(lab.Processes("server"));
        string[] lines = lab.Tool("-n", "-s", LabProcess.PortText, "-t", "1s").Expect(0).Stdout.TrimEnd('\n').Split('\n');
        Assert.Matches("^LOCAL +PEER +STATE +RECV +SENT +OWNER +ACTION$", lines[0]);
        Assert.Equal(2, lines.Length - 1);
        Assert.All(lines[1..], line => Assert.Matches($@" established +\d+s +\d+s +tcp-closer-lab\[{server}\] +destroy$", line));
    }

    [Fact]
    public void DryRun_DisconnectOfTimeWait_ShowsThatNoProcessHasItOpen()
    {
        using var lab = LabProcess.StartIsolated("--count", "2", "--state", "time-wait");
        string[] arguments = ["--method", "disconnect", "-s", LabProcess.PortText, "--state", "time-wait"];
        var table = lab.Tool(["-n", .. arguments]).Expect(1);
        var run = lab.Tool(arguments).Expect(1);
        Assert.Equal(2, Regex.Count(table.Stdout, " not possible: no process has the socket open"));
        Assert.Equal((2, 2), (table.Summary("failed"), run.Summary("failed")));
    }

    /// <summary>A process that receives nothing may send all the time, as a download server does.</summary>
    [Fact]
    public void Warning_ConnectionsThatSentWithinTheIdleTime_AreCountedOnce()
    {
        using var lab = LabProcess.Start("--count", "3", "--busy", "1", "--talker", "server");
        lab.WaitIdle(2, 600);
        var result = lab.Tool("-n", "-s", LabProcess.PortText, "-t", "500ms").Expect(0);
        Assert.Single(result.Log, line => line.EndsWith(
            " warning 1 connection has sent data within the idle time: --idle-by both skips it", StringComparison.Ordinal));
        Assert.DoesNotContain(lab.Tool("-n", "-s", LabProcess.PortText, "-t", "500ms", "--idle-by", "both").Expect(0).Log,
            line => line.Contains(" warning "));
    }

    [Theory]
    [InlineData("port", "5000")]
    [InlineData("peer", "127.0.0.1")]
    [InlineData("process", @"tcp-closer-lab\[\d+\]")]
    [InlineData("uid", "0")]
    [InlineData("state", "established")]
    [InlineData("netns", "self")]
    public void GroupBy_EachKey_CountsEveryConnectionAndClosesNone(string by, string key)
    {
        using var lab = LabProcess.Start("--count", "3");
        var result = lab.Tool("--group-by", by).Expect(0);
        Assert.Matches($"(?m)^{key} +6 +6 +0 +0 +0 +0 +", result.Stdout); // both ends are here
        lab.ExpectState("server alive=3");
    }

    [Fact]
    public void Hint_PidInAnotherNetworkNamespace_NamesTheOptionThatFindsIt()
    {
        using var here = LabProcess.Start("--count", "0");
        using var there = LabProcess.Start("--count", "1");
        var result = here.Tool("--pid", $"{there.Id}").Expect(0);
        Assert.Contains(result.Log, line => line.EndsWith($" info pid {there.Id} is in another network namespace: add --netns pid:{there.Id}", StringComparison.Ordinal));
        there.ExpectState("server alive=1");
    }

    [Theory]
    [Rows("--count 2 --family v6 | -s 5000 | 2 IPv6 connections match: add -6",
        "--count 4 --state close-wait | -s 5000 | 4 are in close-wait: add --state close-wait",
        "--count 2 | -s 5000 -t 2h | no connection has been idle for 2h: the longest idle time is ")]
    public void Hint_NothingFound_NamesTheReason(string connections, string words, string hint)
    {
        using var lab = LabProcess.Start(connections.Split(' '));
        var result = lab.Tool(words.Split(' ')).Expect(0, "idle=0");
        Assert.Single(result.Log, line => line.Contains($" info {hint}"));
        Assert.Empty(lab.Tool(["-q", .. words.Split(' ')]).Expect(0).Stderr);
    }

    [Fact]
    public void Hint_OtherNetworkNamespaces_CountsThoseThatAllNetnsFinds()
    {
        using var here = LabProcess.StartIsolated("--count", "0");
        Command.Run([.. here.Inside(), "sh", "-ec", "mkdir -p /run/netns; mount -t tmpfs none /run/netns; ip netns add empty1; ip netns add empty2"]).Expect(0);
        Assert.Contains(here.Tool("-s", LabProcess.PortText).Expect(0).Log, line => line.EndsWith(
            " info 2 other network namespaces were not looked at: add --all-netns", StringComparison.Ordinal));
        Assert.DoesNotContain(here.Tool("-s", LabProcess.PortText, "--all-netns").Expect(0).Log, line => line.Contains("not looked at"));
        Assert.Empty(here.Tool("-q", "-s", LabProcess.PortText).Expect(0).Stderr);
    }

    [Fact]
    public void GroupBy_NoState_CountsEveryStateButListenAndTimeWait()
    {
        using var lab = LabProcess.Start("--count", "3", "--state", "close-wait");
        using var done = LabProcess.Start(new LabEnvironment { Enter = lab.Inside() }, "--count", "2", "--state", "time-wait", "--port", "5001");
        string table = lab.Tool("--group-by", "state").Expect(0).Stdout;

        Assert.Matches("(?m)^close-wait +3 ", table);
        Assert.Matches("(?m)^fin-wait-2 +3 ", table);
        Assert.DoesNotContain("time-wait", table, StringComparison.Ordinal);
        Assert.DoesNotContain("listen", table, StringComparison.Ordinal);
        Assert.Matches("(?m)^time-wait +2 ", lab.Tool("--group-by", "state", "--state", "time-wait").Expect(0).Stdout);
    }

    [Fact]
    public void Records_ReaderClosedThePipe_ConnectionsAreClosedAndTheLossIsReportedOnce()
    {
        using var lab = LabProcess.Start("--count", "2");
        var result = IntoClosedPipe(lab, "--json", "-s", LabProcess.PortText).Expect(1);
        Assert.Single(result.Log, line => line.EndsWith(" error the reader closed stdout: the records are incomplete", StringComparison.Ordinal));
        lab.ExpectState("server aborted=2");
    }

    [Fact]
    public void FirstLogLine_RunUnderSudo_NamesTheUsers()
    {
        using var lab = LabProcess.Start("--count", "0");
        var result = new ToolRun(lab) { Wrapper = ["env", "SUDO_USER=alice"] }.Run("-s", LabProcess.PortText).Expect(0);
        Assert.Matches(" info closing tcp .* by auto \\(destroy, else disconnect\\) user=[^ ]+ sudo_user=alice$", result.Log[0]);
    }

    [Fact]
    public void Quiet_ErrorThenSuccess_LogsOnlyTheError()
    {
        using var lab = LabProcess.Start("--count", "2");
        using TemporaryDirectory directory = new();
        string log = directory.File("log");

        var refused = lab.Tool("-q", "-s", LabProcess.PortText, "--max", "1", "-f", log).Expect(4);
        string logged = File.ReadAllText(log);
        var closed = lab.Tool("-q", "-s", LabProcess.PortText, "--max", "2", "-f", log).Expect(0);

        Assert.Contains(" error refused: 2 connections ", refused.Stderr, StringComparison.Ordinal);
        Assert.Equal(refused.Stderr, logged);
        Assert.Empty(closed.Stderr);
        Assert.Equal(logged, File.ReadAllText(log));
        lab.ExpectState("server aborted=2");
    }

    [Fact]
    public void Name_Given_IsInEveryLineAndRecord()
    {
        using var lab = LabProcess.StartIsolated("--count", "2");
        var result = lab.Tool("--name", "dead ssh", "--json", "-v", "-s", LabProcess.PortText).Expect(0);
        Assert.All(result.Log, line => Assert.EndsWith(" rule=\"dead ssh\"", line, StringComparison.Ordinal));
        Assert.All(result.Destroyed, line => Assert.Matches(@" pid=\d+ comm=tcp-closer-lab ", line)); // -v searches for the owners
        Assert.All(result.Stdout.TrimEnd('\n').Split('\n'), line => Assert.Contains("\"rule\":\"dead ssh\"", line, StringComparison.Ordinal));
    }

    /// <summary>
    /// Where stderr is the stream that JOURNAL_STREAM names, the journal adds the time and forwards lines to syslog
    /// itself.
    /// </summary>
    [Theory]
    [InlineData("$(stat -Lc %d:%i {0})", true)]
    [InlineData("1:1", false)] // inherited, and a different stream
    public void LogLine_StderrIsTheJournal_HasPriorityAndNoTime(string stream, bool isJournal)
    {
        using var lab = LabProcess.Start("--count", "1");
        using TemporaryDirectory directory = new();
        string log = directory.File("log");
        string name = string.Format(CultureInfo.InvariantCulture, stream, log);
        string script = $"touch {log}; export JOURNAL_STREAM={name}; exec \"$@\" 2>>{log}";

        new ToolRun(lab) { Wrapper = ["sh", "-c", script, "sh"] }.Run("-s", LabProcess.PortText).Expect(0);

        string[] lines = File.ReadAllLines(log);
        Assert.Equal(3, lines.Length);
        Assert.All(lines, line => Assert.Matches(isJournal ? "^<6>[a-z]" : @"^\d{4}-.* info ", line));
    }

    /// <summary>Runs the program with a FIFO as stdout that has lost its reader.</summary>
    private static Result IntoClosedPipe(LabProcess lab, params string[] arguments)
    {
        using TemporaryDirectory directory = new();
        string fifo = directory.File("fifo");
        Command.Run("mkfifo", fifo).Expect(0);
        string script = $"exec 3<>{fifo}; exec \"$@\" >{fifo} 3<&-";
        return new ToolRun(lab) { Wrapper = ["sh", "-c", script, "sh"] }.Run(arguments);
    }

    [Theory]
    [Rows("lo | 2", "eth9 | 0")]
    public void Src_LinkLocalAddressWithDevice_MatchesThatDeviceOnly(string device, int closed)
    {
        using var lab = LabProcess.Start("--count", "0");
        Command.Run([.. lab.Inside(), "ip", "-6", "addr", "add", "fe80::77/64", "dev", "lo", "nodad"]).Expect(0);
        using var ends = SocketProcess.Start(lab.Inside());
        _ = ends.Ask("listen fe80::77%lo 6000");
        _ = ends.Connect("fe80::77%lo 6000 2");
        lab.Tool("-s", "6000", "--src", $"fe80::77%{device}").Expect(0, $"closed={closed}");
    }
}
