namespace TcpCloser.KernelTests;

/// <summary>
/// Under a seccomp filter that kills the caller of pidfd_getfd(2), as a unit's SystemCallFilter=@system-service does: only methods
/// that need the call make it.
/// </summary>
public sealed class SeccompTests
{
    private const int PidfdGetfd = 438;
    private const int KilledBySigsys = 128 + 31;

    [Theory]
    [Rows("--method destroy | aborted", "--method auto | aborted", "--use-proc | gone", "-n | alive")]
    public void Run_MethodWithoutPidfdGetfd_Works(string arguments, string becomes)
    {
        using var lab = LabProcess.StartIsolated("--count", "3", "--client-process");
        Confined(lab, [.. arguments.Split(' '), "-s", $"{LabProcess.Port}"]).Run().Expect(0);
        lab.ExpectState($"server {becomes}=3");
    }

    [Fact]
    public void Service_DestroyMethod_Works()
    {
        using var lab = LabProcess.StartIsolated("--count", "6", "--busy", "3", "--client-process");
        using var service = Confined(lab, "-s", $"{LabProcess.Port}", "-t", "400ms", "-i", "50ms").Start();
        lab.WaitEnded(3);
        lab.Ask("busy-off");
        lab.WaitEnded(6);
        Command.Run("kill", "-s", "TERM", $"{NamespaceFarm.FirstChild(service.Id)}").Expect(0);
        service.WaitForEnd().Expect(0, "closed=6");
    }

    /// <summary>The endpoints of an ancestor's socket are found without fetching the socket.</summary>
    [Fact]
    public void Run_OwnSession_IsSpared()
    {
        using var lab = LabProcess.StartIsolated("--count", "2", "--processes", "2");
        string[] output = lab.Ask($"run {Binaries.Lab} confine --deadly-call {PidfdGetfd} -- {Binaries.Tool} -s {LabProcess.Port} --disable-syslog");

        Assert.Equal("exit:0", output[^1]);
        Assert.Equal(1, Result.Summary(output, "spared"));
        Assert.Equal(1, Result.Summary(output, "closed"));
        Assert.Equal(["alive", "aborted"], lab.List().Select(connection => connection.Server.View));
        // The client's end of the session's connection is spared as well.
        output = lab.Ask($"run {Binaries.Lab} confine --deadly-call {PidfdGetfd} -- {Binaries.Tool} -d {LabProcess.Port} --disable-syslog");
        Assert.Equal(1, Result.Summary(output, "spared"));
        Assert.Equal("alive", lab.List()[0].Client.View);
    }

    /// <summary>The filter does kill a process that makes the call: otherwise the other tests would prove nothing.</summary>
    [Fact]
    public void Run_DisconnectMethod_IsKilledByTheFilter()
    {
        using var lab = LabProcess.StartIsolated("--count", "1", "--client-process");
        var result = Confined(lab, "--method", "disconnect", "-s", $"{LabProcess.Port}").Run();
        Assert.Equal(KilledBySigsys, result.ExitCode);
        lab.ExpectState("server alive=1");
    }

    private static ToolRun Confined(LabProcess lab, params string[] arguments)
        => new(lab) { Wrapper = [Binaries.Lab, "confine", "--deadly-call", $"{PidfdGetfd}", "--"], Arguments = [.. arguments, "--disable-syslog"] };
}
