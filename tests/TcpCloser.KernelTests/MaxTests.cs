using System.Text.RegularExpressions;
using TcpCloser.KernelTests.Harness;
using TcpCloser.KernelTests.Harness.Reach;
using Xunit;

namespace TcpCloser.KernelTests;

/// <summary>--max: where more would be closed, none is.</summary>
public sealed class MaxTests
{
    private const int Count = 6;

    [Theory]
    [InlineData("auto")]
    [InlineData("destroy")]
    [InlineData("disconnect")]
    [InlineData("kill")]
    public void MoreThanThatAreLeftAsTheyAre(string method)
    {
        using var lab = LabProcess.Start(new LabSurroundings { OwnProcesses = true }, "--count", $"{Count}", "--client-process");

        var result = lab.Tool("--method", method, "-s", $"{LabProcess.Port}", "--max", $"{Count - 1}").Expect(4);

        Assert.Equal(0, result.Summary("closed"));
        Assert.Contains(result.Log, line => line.Contains($"refused: {Count} ", StringComparison.Ordinal) && line.Contains($"--max {Count - 1}", StringComparison.Ordinal));
        Assert.Equal(Count, lab.State()["server", "alive"]);
        Assert.Equal(0, lab.State()["processes", "dead"]);
        lab.Tool("-n", "--method", method, "-s", $"{LabProcess.Port}", "--max", $"{Count - 1}").Expect(4);
    }

    /// <summary>A process that is killed loses all its connections, and not only those that match.</summary>
    [Theory]
    [InlineData(Count - 1, 4, Count)]
    [InlineData(Count, 0, 0)]
    public void WhatAKillTakesAlongCounts(int max, int exit, int alive)
    {
        // All connections are one process's; a third of them match.
        using var lab = LabProcess.Start(new LabSurroundings { OwnProcesses = true }, "--count", $"{Count}", "--ports", "3", "--client-process");
        string[] arguments = ["--use-proc", "-s", $"{LabProcess.Port}", "--max", $"{max}"];

        lab.Tool(["-n", .. arguments]).Expect(exit);
        var result = lab.Tool(arguments).Expect(exit);

        Assert.Equal(alive, lab.State()["server", "alive"]);
        Assert.Equal(alive, lab.State()["client", "alive"]);
        Assert.Equal(exit == 4 ? 1 : 0, result.Log.Count(line => line.Contains(" error refused: 2 connections and 4 more ", StringComparison.Ordinal)));
    }

    [Theory]
    [InlineData(Count)]
    [InlineData(Count + 1)]
    public void ThatManyAreClosed(int max)
    {
        using var lab = LabProcess.Start("--count", $"{Count}");

        lab.Tool("-s", $"{LabProcess.Port}", "--max", $"{max}").Expect(0);

        Assert.Equal(Count, lab.State()["server", "aborted"]);
    }

    [Fact]
    public void WhatIsBusyDoesNotCount()
    {
        using var lab = LabProcess.Start("--count", $"{Count}", "--busy", "4");
        lab.WaitIdle(2, 500);

        var result = lab.Tool("-s", $"{LabProcess.Port}", "-t", "500", "--max", "2").Expect(0);

        Assert.Equal(2, result.Summary("closed"));
    }

    [Fact]
    public void NoneIsALimitToo()
    {
        using var lab = LabProcess.Start("--count", "1");

        lab.Tool("-s", $"{LabProcess.Port}", "--max", "0").Expect(4);
        lab.Tool("-s", "7", "--max", "0").Expect(0);

        Assert.Equal(1, lab.State()["server", "alive"]);
    }

    [Fact]
    public void NamespacesAreCountedTogether()
    {
        using var farm = NamespaceFarm.Start(3, "--count", "2");

        farm.Home.Tool("--all-netns", "-s", $"{LabProcess.Port}", "--max", "5").Expect(4);
        Assert.All(farm.Labs, lab => Assert.Equal(2, lab.State()["server", "alive"]));

        farm.Home.Tool("--all-netns", "-s", $"{LabProcess.Port}", "--max", "6").Expect(0);
        Assert.All(farm.Labs, lab => Assert.Equal(2, lab.State()["server", "aborted"]));
    }

    [Fact]
    public void AServiceRefusesTheRoundAndGoesOn()
    {
        using var lab = LabProcess.Start("--count", "3", "--ports", "3");

        using var service = new ToolRun(lab) { Arguments = ["-s", $"{LabProcess.Port}-{LabProcess.Port + 2}", "--max", "2", "-i", "20ms", "--disable-syslog"] }.Start();
        Until.True(() => service.Stderr.Contains("refused: 3 ", StringComparison.Ordinal), "a refused round");
        Until.True(() =>
        {
            service.Signal("USR1");
            return Regex.IsMatch(service.Stderr, @" totals rounds=\d{2,} ");
        }, "ten rounds");
        Assert.Single(Regex.Matches(service.Stderr, "refused: 3 ")); // the same again is counted
        Assert.Equal(3, lab.State()["server", "alive"]);
        lab.Tool("-s", $"{LabProcess.Port}").Expect(0); // one fewer
        lab.WaitEnded(3);
        service.Signal("TERM");

        Assert.Equal(2, service.WaitForEnd().Expect(0).Summary("closed"));
    }
}
