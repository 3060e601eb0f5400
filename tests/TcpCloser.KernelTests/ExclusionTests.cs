namespace TcpCloser.KernelTests;

/// <summary><c>--not-uid</c> and <c>--not-comm</c>.</summary>
public sealed class ExclusionTests
{
    private const string Name = "6f74686572"; // other
    private static readonly LabEnvironment s_own = new() { OwnProcesses = true };
    private static readonly string s_ports = $"{LabProcess.Port}-{LabProcess.Port + 1}";

    [Fact]
    public void NotUid_ConnectionsOfTwoUsers_ExcludesOne()
    {
        using var home = LabProcess.Start(s_own, "--count", "2", "--port", $"{LabProcess.Port + 1}");
        using var user = Users.StartLab(home, Users.Somebody, "--count", "2");
        home.Tool("-s", s_ports, "--not-uid", $"{Users.Somebody}").Expect(0, "matched=2 closed=2");
        home.ExpectState("server aborted=2");
        user.ExpectState("server alive=2");
    }

    [Theory]
    [InlineData("destroy", "aborted")]
    [InlineData("disconnect", "reset")]
    public void NotComm_ConnectionsOfTwoPrograms_ExcludesOne(string method, string view)
    {
        using var home = LabProcess.Start(s_own, "--count", "2", "--processes", "1", "--port", $"{LabProcess.Port + 1}");
        using var other = LabProcess.Start(new LabEnvironment { Enter = home.Inside(), OwnProcesses = true }, "--count", "2", "--client-process", "--process-name", Name);
        home.Tool("--method", method, "-s", s_ports, "--not-comm", "other").Expect(0, "matched=2 closed=2");
        home.ExpectState($"server {view}=2");
        other.ExpectState("server alive=2");
    }

    /// <summary>One excluded holder is enough.</summary>
    [Fact]
    public void NotComm_SharedSocket_IsExcludedByEachHolder()
    {
        using var lab = LabProcess.Start(s_own, "--count", "2", "--processes", "1", "--sharers", "1", "--process-name", Name);
        lab.Tool("-s", $"{LabProcess.Port}", "--not-comm", "other").Expect(0, "matched=0");
        lab.ExpectState("server alive=2");
    }

    [Fact]
    public void NotComm_NoSuchProcess_WarnsAndExcludesNothing()
    {
        using var lab = LabProcess.Start(s_own, "--count", "2");
        var result = lab.Tool("-s", $"{LabProcess.Port}", "--not-comm", "nobody-has-it").Expect(0, "closed=2");
        Assert.Contains(result.Log, static line => line.EndsWith(" warning no process matches --not-comm nobody-has-it, so it excludes no connection", StringComparison.Ordinal));
    }
}
