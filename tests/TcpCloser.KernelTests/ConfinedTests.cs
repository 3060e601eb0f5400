using TcpCloser.KernelTests.Harness;
using TcpCloser.KernelTests.Harness.Reach;
using Xunit;

namespace TcpCloser.KernelTests;

/// <summary>
/// Under a seccomp filter that kills for pidfd_getfd(2), as a unit's SystemCallFilter=@system-service does: nothing makes that call
/// whose method does not need it.
/// </summary>
public sealed class ConfinedTests
{
    private const int PidfdGetfd = 438;
    private const int KilledBySigsys = 128 + 31;
    private static readonly LabSurroundings s_own = new() { OwnProcesses = true };

    [Theory]
    [InlineData("--method destroy", "aborted")]
    [InlineData("--method auto", "aborted")]
    [InlineData("--use-proc", "gone")]
    [InlineData("-n", "alive")]
    public void ARunDoesItsWork(string arguments, string becomes)
    {
        using var lab = LabProcess.Start(s_own, "--count", "3", "--client-process");

        Confined(lab, [.. arguments.Split(' '), "-s", $"{LabProcess.Port}"]).Run().Expect(0);

        Assert.Equal(3, lab.State()["server", becomes]);
    }

    [Fact]
    public void AServiceDoesItsWork()
    {
        using var lab = LabProcess.Start(s_own, "--count", "6", "--busy", "3", "--client-process");
        using var service = Confined(lab, "-s", $"{LabProcess.Port}", "-t", "400ms", "-i", "50ms").Start();

        lab.WaitEnded(3);
        lab.Ask("busy-off");
        lab.WaitEnded(6);
        Command.Run("kill", "-s", "TERM", $"{NamespaceFarm.FirstBelow(service.Id)}").Expect(0);

        Assert.Equal(6, service.WaitForEnd().Expect(0).Summary("closed"));
    }

    /// <summary>Between what an ancestor's socket is, is found out without fetching it.</summary>
    [Fact]
    public void TheOwnSessionIsSparedAllTheSame()
    {
        using var lab = LabProcess.Start(s_own, "--count", "2", "--processes", "2");

        string[] output = lab.Ask($"run {Binaries.Lab} confine --deadly-call {PidfdGetfd} -- {Binaries.Tool} -s {LabProcess.Port} --disable-syslog");

        Assert.Equal("exit:0", output[^1]);
        Assert.Equal(1, Result.Summary(output, "spared"));
        Assert.Equal(1, Result.Summary(output, "closed"));
        Assert.Equal(["alive", "aborted"], lab.List().Select(connection => connection.Server.View));
        // The other ends, too: either end of what carries the session.
        output = lab.Ask($"run {Binaries.Lab} confine --deadly-call {PidfdGetfd} -- {Binaries.Tool} -d {LabProcess.Port} --disable-syslog");
        Assert.Equal(1, Result.Summary(output, "spared"));
        Assert.Equal("alive", lab.List()[0].Client.View);
    }

    /// <summary>The filter does kill who makes the call: otherwise this would prove nothing.</summary>
    [Fact]
    public void WhatNeedsTheCallDies()
    {
        using var lab = LabProcess.Start(s_own, "--count", "1", "--client-process");

        var result = Confined(lab, "--method", "disconnect", "-s", $"{LabProcess.Port}").Run();

        Assert.Equal(KilledBySigsys, result.ExitCode);
        Assert.Equal(1, lab.State()["server", "alive"]);
    }

    private static ToolRun Confined(LabProcess lab, params string[] arguments)
        => new(lab) { Wrapper = [Binaries.Lab, "confine", "--deadly-call", $"{PidfdGetfd}", "--"], Arguments = [.. arguments, "--disable-syslog"] };
}
