using TcpCloser.KernelTests.Harness;
using Xunit;

namespace TcpCloser.KernelTests;

/// <summary>Idle and busy connections side by side: exactly those that were idle for the time asked for are closed.</summary>
public sealed class IdleTests
{
    /// <summary>Busy connections exchange data every 10 ms; a crowded machine may delay that a good deal.</summary>
    private const int IdleMs = 500;

    [Theory]
    [InlineData("v4")]
    [InlineData("v6")]
    [InlineData("dual")]
    public void ExactlyTheIdleDie(string family)
    {
        using var lab = LabProcess.Start("--count", "40", "--busy", "20", "--family", family);
        lab.WaitIdle(20, IdleMs);

        var result = lab.Tool(family == "v6" ? "-6" : "-4", "-s", $"{LabProcess.Port}", "-t", $"{IdleMs}").Expect(0);

        Assert.Equal(40, result.Summary("matched"));
        Assert.Equal(20, result.Summary("idle"));
        Assert.Equal(20, result.Summary("closed"));
        Assert.All(lab.List(), connection =>
        {
            Assert.Equal(connection.Index < 20 ? "aborted" : "alive", connection.Server.View);
            Assert.Equal(connection.Index < 20 ? "reset" : "alive", connection.Client.View);
        });
    }

    [Fact]
    public void BeyondTheLimitConnectionsAreLeftAlone()
    {
        using var lab = LabProcess.Start("--count", "10", "--busy", "5");
        lab.WaitIdle(5, IdleMs);

        var result = lab.Tool("-s", $"{LabProcess.Port}", "--last-recv-limit", $"{IdleMs}ms").Expect(0);

        Assert.Equal(10, result.Summary("matched"));
        Assert.Equal(5, result.Summary("closed"));
        Assert.All(lab.List(), connection => Assert.Equal(connection.Index < 5 ? "alive" : "aborted", connection.Server.View));
    }

    [Fact]
    public void WithoutATimeBusyOnesDieToo()
    {
        using var lab = LabProcess.Start("--count", "10", "--busy", "5");

        lab.Tool("-s", $"{LabProcess.Port}").Expect(0);

        lab.WaitEnded(10);
        Assert.DoesNotContain(lab.Sockets(), socket => socket.LocalPort == LabProcess.Port && socket.State == "established");
    }

    [Fact]
    public void WhatWasLeftAloneIsToldWithTheReason()
    {
        using var lab = LabProcess.Start("--count", "4", "--busy", "2");
        lab.WaitIdle(2, IdleMs);

        var result = lab.Tool("-v", "-s", $"{LabProcess.Port}", "-t", $"{IdleMs}").Expect(0);

        foreach (var connection in lab.List().Skip(2))
        {
            Assert.Contains(result.Log, line => line.Contains("left alone", StringComparison.Ordinal) && line.Contains(connection.ClientAddress, StringComparison.Ordinal));
        }
    }

    [Fact]
    public void AConnectionWithoutAClockIsLeftAloneOnceATimeIsGiven()
    {
        using var lab = LabProcess.Start("--count", "2", "--state", "syn-sent");

        var result = lab.Tool("-v", "-d", $"{LabProcess.Port}", "--state", "syn-sent", "-t", "1").Expect(0);

        Assert.Equal(0, result.Summary("closed"));
        Assert.Equal(2, lab.State()["client", "alive"]);
        Assert.Equal(2, result.Log.Count(line => line.Contains("left alone", StringComparison.Ordinal)));
    }

    [Fact]
    public void AFreshConnectionThatReceivedNothingAgesFromItsBeginning()
    {
        using var lab = LabProcess.Start("--count", "2");

        lab.Tool("-s", $"{LabProcess.Port}", "-t", "10m").Expect(0);

        Assert.Equal(2, lab.State()["server", "alive"]);
    }
}
