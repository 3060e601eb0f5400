namespace TcpCloser.KernelTests;

/// <summary>Environment variables that a machine sets for its .NET services do not configure this program.</summary>
public sealed class RuntimeSettingsTests
{
    [Theory]
    [Values("DOTNET_DbgEnableMiniDump=1", "DOTNET_GCHeapHardLimit=1000", "DOTNET_GCHeapHardLimitPercent=1", "DOTNET_GCRegionSize=1",
        "DOTNET_GCRegionRange=1000", "DOTNET_GCLargePages=1", "DOTNET_GCName=nowhere.so", "DOTNET_gcServer=1", "DOTNET_GCgen0size=1",
        "COMPlus_GCHeapHardLimit=1000")]
    public void Run_DotnetSettingInTheEnvironment_Works(string setting)
    {
        using var lab = LabProcess.Start("--count", "1");
        new ToolRun(lab) { Wrapper = ["env", setting] }.Run("-s", $"{LabProcess.Port}").Expect(0, "closed=1");
    }

    [Fact]
    public void Run_DotnetSettingsAroundOtherVariables_OthersAreRead()
    {
        using var lab = LabProcess.Start("--count", "1");
        int peer = lab.Sockets().First(static socket => socket is { LocalPort: LabProcess.Port, RemotePort: not 0 }).RemotePort;
        string session = $"SSH_CONNECTION=127.0.0.1 {peer} 127.0.0.1 {LabProcess.Port}";
        var run = new ToolRun(lab) { Wrapper = ["env", "-i", "DOTNET_GCLargePages=1", session, "COMPlus_x=1", "DOTNET_GCHeapHardLimit=1000"] }
            .Run("-s", $"{LabProcess.Port}").Expect(0);
        run.ExpectSummary("closed=0 spared=1");
    }
}
