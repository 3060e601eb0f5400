namespace TcpCloser.KernelTests;

/// <summary>
/// Processes and directories that may not be read are reported, with the remedy and in the exit status, and never regarded as
/// empty.
/// </summary>
public sealed class UnreadableTests
{
    [Theory]
    [Values("--pid", "--comm")]
    public void PidOrComm_OtherUsersProcess_Exits3AndNamesTheCapabilities(string option)
    {
        Users.Require();
        using var lab = LabProcess.StartIsolated("--count", "2", "--process-name", "6f74686572");
        string[] selection = ["-s", LabProcess.PortText, option, option == "--pid" ? $"{lab.Processes("server").Single()}" : "other", "--disable-syslog"];
        ToolRun run = new(lab) { Wrapper = Users.As(Users.Somebody, "net_admin") };

        foreach (string[] arguments in new[] { selection, ["-n", .. selection], [.. selection, "-i", "1h"] })
        {
            var result = (run with { Arguments = arguments }).Run().Expect(3);

            string error = Assert.Single(result.Log, line => line.Contains(" error "));
            Assert.Contains($"of process {lab.Processes("server").Single()}", error, StringComparison.Ordinal);
            Assert.Contains("CAP_DAC_READ_SEARCH", error, StringComparison.Ordinal);
            Assert.Contains("CAP_SYS_PTRACE", error, StringComparison.Ordinal);
        }
        lab.ExpectState("server alive=2");
        (run with { Wrapper = Users.As(Users.Somebody, "net_admin", "sys_ptrace", "dac_read_search"), Arguments = selection }).Run().Expect(0, "closed=2");
    }

    /// <summary>
    /// One of two processes with that name belongs to the user: its connections are closed, and the other process is
    /// reported.
    /// </summary>
    [Fact]
    public void Comm_OneOfTwoProcessesUnreadable_ClosesTheOtherAndReportsIt()
    {
        using var others = LabProcess.StartIsolated("--count", "1", "--port", "5001", "--process-name", "6f74686572");
        using var own = Users.StartLab(others, Users.Somebody, "--count", "1", "--process-name", "6f74686572");
        var result = new ToolRun(others) { Wrapper = Users.As(Users.Somebody) }.Run("-s", "5000-5001", "--comm", "other").Expect(1, "closed=1");
        Assert.Contains(result.Log, line => line.Contains(" error ") && line.Contains($"of process {others.Processes("server").Single()}"));
        others.ExpectState("server alive=1");
    }

    [Theory]
    [Values("/run/netns", "/run/docker/netns")]
    public void AllNetns_DirectoryUnreadable_IsReportedWithTheCapability(string directory)
    {
        Users.Require();
        using var farm = NamespaceFarm.Start(1, "--count", "1");
        Command.Run([.. farm.Home.Inside(), "chmod", "700", directory]).Expect(0);
        var result = new ToolRun(farm.Home) { Wrapper = Users.As(Users.Somebody, "net_admin", "sys_admin", "sys_ptrace") }
            .Run("--all-netns", "-s", LabProcess.PortText).Expect(1);

        string error = Assert.Single(result.Log, line => line.Contains(" error "));
        Assert.Contains(directory, error, StringComparison.Ordinal);
        Assert.Contains("CAP_DAC_READ_SEARCH", error, StringComparison.Ordinal);
    }

    [Fact]
    public void AllNetns_ProcessUnreadable_IsReportedWithTheCapability()
    {
        Users.Require();
        using var farm = NamespaceFarm.Start(0);
        using var other = LabProcess.Start(
            new LabEnvironment { Enter = farm.Home.Inside(), OwnProcesses = true, Preparation = "set -- unshare -n \"$@\"" }, "--count", "1");

        var result = new ToolRun(farm.Home) { Wrapper = Users.As(Users.Somebody, "net_admin", "sys_admin") }
            .Run("--all-netns", "-s", LabProcess.PortText).Expect(1);

        string error = Assert.Single(result.Log, line => line.Contains(" error opening the network namespace of process 1 "));
        Assert.Contains("CAP_SYS_PTRACE", error, StringComparison.Ordinal);
        other.ExpectState("server alive=1");
    }
}
