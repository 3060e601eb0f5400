using System.Text;
using TcpCloser.KernelTests.Harness;
using Xunit;

namespace TcpCloser.KernelTests;

/// <summary>--json read by another program, jq, with whatever a process can call itself; and log lines that such names cannot forge.</summary>
public sealed class JsonTests
{
    private static readonly LabSurroundings s_own = new() { OwnProcesses = true };

    [Theory]
    // the name's bytes, in hexadecimal; as JSON decodes it; as a log line writes it
    [InlineData("61226222", "a\"b\"", @"a\x22b\x22")]
    [InlineData("635c6e5c", @"c\x5Cn\x5C", @"c\x5Cn\x5C")]
    [InlineData("640a310d090b", "d\n1\r\t\u000b", @"d\x0A1\x0D\x09\x0B")]
    [InlineData("1b5b33316d78", "\u001b[31mx", @"\x1B[31mx")]
    [InlineData("66fffe80c3", @"f\xFF\xFE\x80\xC3", @"f\xFF\xFE\x80\xC3")]
    [InlineData("c3a4e282ac7f", "ä€\u007f", @"ä€\x7F")]
    [InlineData("f09f9880c285", "😀\u0085", @"😀\xC2\x85")]
    [InlineData("782079", "x y", "\"x y\"")]
    [InlineData("e280aee28ba8", "\u202e⋨", @"\xE2\x80\xAE⋨")]
    public void AnyNameIsValidAndForgesNothing(string hex, string decoded, string logged)
    {
        RequireJq();
        using var lab = LabProcess.Start(s_own, "--count", "2", "--client-process", "--process-name", hex);

        var forecast = lab.Tool("-n", "--json", "--use-proc", "-s", $"{LabProcess.Port}").Expect(0);
        var table = lab.Tool("-n", "--use-proc", "-s", $"{LabProcess.Port}").Expect(0);
        var kill = lab.Tool("--json", "--use-proc", "-s", $"{LabProcess.Port}").Expect(0);

        Assert.Equal([decoded, decoded], Strings(forecast, "select(.type==\"connection\") | .owners[].comm"));
        Assert.Equal([decoded], Strings(kill, "select(.type==\"signal\") | .comm"));
        Assert.Equal(["killed", "killed"], Strings(kill, "select(.type==\"connection\") | .outcome"));
        Assert.Contains($" comm={logged} ", Assert.Single(kill.Log, line => line.Contains(" to pid=", StringComparison.Ordinal)), StringComparison.Ordinal);
        Assert.All(kill.Log, line => Assert.Matches(@"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z (info|error|warning|debug) ", line));
        Assert.Equal(2, table.Stdout.Split('\n').Count(line => line.Contains($" {logged}[", StringComparison.Ordinal)));
        Assert.Equal(4, table.Stdout.Split('\n').Length); // the titles, two rows, and the end
        Assert.DoesNotContain(kill.Stderr + table.Stdout, character => char.IsControl(character) && character != '\n');
    }

    [Theory]
    [InlineData("destroy", "destroyed")]
    [InlineData("disconnect", "disconnected")]
    public void EveryConnectionHasItsOutcomeThenComesTheSummary(string method, string outcome)
    {
        RequireJq();
        using var lab = LabProcess.Start("--count", "5", "--busy", "2", "--family", "v6");
        lab.WaitIdle(3, 500);

        var result = lab.Tool("--json", "--method", method, "-6", "-s", $"{LabProcess.Port}", "-t", "500").Expect(0);

        Assert.Equal([.. Enumerable.Repeat("busy", 2), .. Enumerable.Repeat(outcome, 3)], Strings(result, "select(.type==\"connection\") | .outcome").Order());
        Assert.Equal(["5 3 3 0 0 0"], Strings(result, "select(.type==\"summary\") | \"\\(.matched) \\(.idle) \\(.closed) \\(.vanished) \\(.spared) \\(.failed)\""));
        Assert.Contains("\"type\":\"summary\"", result.Stdout.TrimEnd('\n').Split('\n')[^1], StringComparison.Ordinal);
        Assert.All(
            Strings(result, "select(.type==\"connection\") | \"\\(.idle_ms|type) \\(.uid|type) \\(.inode|type) \\(.local_port|type) \\(.rtt_us|type) \\(.local_address)\""),
            types => Assert.Equal("number number number number number ::1", types));
    }

    [Fact]
    public void ADryRunWouldClose()
    {
        RequireJq();
        using var lab = LabProcess.Start("--count", "2", "--state", "syn-sent");

        var result = lab.Tool("-n", "--json", "-d", $"{LabProcess.Port}", "--state", "syn-sent").Expect(0);

        Assert.Equal(["would_close null", "would_close null"], Strings(result, "select(.type==\"connection\") | \"\\(.outcome) \\(.idle_ms)\""));
    }

    [Fact]
    public void WhatFailsHasAReason()
    {
        RequireJq();
        using var lab = LabProcess.Start("--count", "2");

        var result = new ToolRun(lab) { Arguments = ["--json", "--method", "destroy", "-s", $"{LabProcess.Port}", "--disable-syslog"] }.Unprivileged().Run().Expect(3);

        Assert.Equal(["failed string", "failed string"], Strings(result, "select(.type==\"connection\") | \"\\(.outcome) \\(.reason|type)\""));
    }

    [Fact]
    public void WhatCannotBeWrittenMakesTheRunFail()
    {
        using var lab = LabProcess.Start("--count", "2");

        var result = new ToolRun(lab) { Redirections = ">/dev/full", Arguments = ["--json", "-s", $"{LabProcess.Port}", "--disable-syslog"] }.Run().Expect(1);

        Assert.Contains("ENOSPC", result.Stderr, StringComparison.Ordinal);
        Assert.Equal(2, lab.State()["server", "aborted"]);
    }

    private static void RequireJq()
        => Assert.SkipUnless(Command.Run("sh", "-c", "command -v jq").ExitCode == 0, "jq is missing");

    /// <summary>What jq makes of a run's stdout: strings in base64, because they may hold anything.</summary>
    private static string[] Strings(Result result, string filter)
    {
        using TemporaryFolder folder = new();
        File.WriteAllText(folder.File("json"), result.Stdout);
        string[] lines = Command.Run("jq", "-r", $"({filter}) | @base64", folder.File("json")).Expect(0).Stdout.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        return [.. lines.Select(line => Encoding.UTF8.GetString(Convert.FromBase64String(line)))];
    }
}
