namespace TcpCloser.KernelTests;

/// <summary>
/// Without CAP_NET_ADMIN: exit 3, nothing closed and nothing reported as closed. If nothing is to be closed, the capability is not
/// needed.
/// </summary>
public sealed class PrivilegeTests
{
    [Fact]
    public void Destroy_NoPrivilege_SetcapAdviceWarnsThatEveryUserGainsIt()
    {
        using var lab = LabProcess.Start("--count", "1");
        string[] arguments = ["--method", "destroy", "-s", $"{LabProcess.Port}", "--disable-syslog"];
        var result = new ToolRun(lab) { Wrapper = Users.As(Users.Somebody), Arguments = arguments }.Run().Expect(3);
        string advice = Assert.Single(result.Log, line => line.Contains("setcap"));
        Assert.Contains("every user", advice, StringComparison.Ordinal);
        Assert.Contains("root's connections", advice, StringComparison.Ordinal);
    }

    /// <summary>Root without CAP_NET_ADMIN, and a user who owns the connections: both may disconnect.</summary>
    [Theory]
    [Values(0, Users.Somebody)]
    public void Auto_NoNetAdminButOwnConnections_Disconnects(int uid)
    {
        using var home = LabProcess.StartIsolated("--count", "0", "--port", "4999");
        using var lab = Users.StartLab(home, uid, "--count", "600", "--client-process");
        string[] wrapper = uid == 0 ? ["setpriv", "--bounding-set", "-net_admin", "--inh-caps", "-net_admin"] : Users.As(uid);
        var result = new ToolRun(home) { Wrapper = wrapper }.Run("-s", $"{LabProcess.Port}").Expect(0, "closed=600");
        Assert.Equal(600, result.Log.Count(line => line.Contains(" info disconnected ")));
        Assert.DoesNotContain(result.Log, line => line.Contains(" error "));
        lab.ExpectState("server reset=600, processes dead=0");
        lab.AwaitState("client reset=600");
    }

    [Fact]
    public void Auto_OwnAndOtherUsersConnections_ClosesOwnAndNamesTheCapability()
    {
        using var home = LabProcess.StartIsolated("--count", "3", "--client-process");
        using var own = Users.StartLab(home, Users.Somebody, "--count", "2", "--port", "5001", "--client-process");
        var result = new ToolRun(home) { Wrapper = Users.As(Users.Somebody) }.Run("-s", "5000-5001").Expect(1, "closed=2 failed=3");
        Assert.Contains(result.Log, line => line.Contains(" error ") && line.Contains("CAP_NET_ADMIN"));
        own.ExpectState("server reset=2");
        home.ExpectState("server alive=3");
    }

    /// <summary>
    /// Records name the method that was used or tried last; a holder that could not be searched for is unknown, not
    /// absent.
    /// </summary>
    [Fact]
    public void Auto_NoPrivilegeForAnotherUsersSocket_RecordsTheMethodTriedLast()
    {
        using var home = LabProcess.StartIsolated("--count", "1", "--client-process");
        using var own = Users.StartLab(home, Users.Somebody, "--count", "1", "--port", "5001", "--client-process");
        var result = new ToolRun(home) { Wrapper = Users.As(Users.Somebody) }.Run("--json", "-s", "5000-5001").Expect(1);
        Assert.Contains("\"method\":\"disconnect\",\"outcome\":\"owner_unknown\"", result.Stdout, StringComparison.Ordinal);
        Assert.Contains("\"method\":\"disconnect\",\"outcome\":\"disconnected\"", result.Stdout, StringComparison.Ordinal);
        Assert.Contains(result.Log, line => line.Contains(" by auto (destroy, else disconnect)"));
    }

    [Fact]
    public void Run_NoPrivilegeAndNothingToClose_Exits0()
    {
        using var lab = LabProcess.Start("--count", "1");
        Unprivileged(lab, "-s", "7").Run().Expect(0);
    }

    /// <summary>
    /// Even if nothing is to be closed in the first round: the service would look healthy and fail in the first round that has a
    /// connection.
    /// </summary>
    [Theory]
    [Values("0", "1h")]
    public void Service_CouldNeverClose_ExitsAtOnce(string idle)
    {
        using var lab = LabProcess.Start("--count", "1");
        var result = Unprivileged(lab, "--method", "destroy", "-s", $"{LabProcess.Port}", "-t", idle, "-i", "50ms").Run().Expect(3);
        Assert.Contains("CAP_NET_ADMIN", Assert.Single(result.Log, line => line.Contains(" error ")), StringComparison.Ordinal);
        lab.ExpectState("server alive=1");
    }

    [Theory]
    [Values("auto", "disconnect", "kill")]
    public void Service_CannotReachAnyProcess_ExitsAtOnce(string method)
    {
        Users.Require();
        using var home = LabProcess.StartIsolated("--count", "1");
        ToolRun run = new(home)
        {
            Wrapper = Users.As(Users.Somebody),
            Arguments = ["--method", method, "-s", $"{LabProcess.Port}", "-t", "1h", "-i", "1h", "--disable-syslog"],
        };

        var result = run.Run().Expect(3);

        Assert.Contains("CAP_", Assert.Single(result.Log, line => line.Contains(" error ")), StringComparison.Ordinal);

        // With a process of its own user the service can close something, unless only root's processes are selected.
        using var own = Users.StartLab(home, Users.Somebody, "--count", "1", "--port", "5001");
        (run with { Arguments = [.. run.Arguments, "--uid", "0"] }).Run().Expect(3);
        using var service = (run with { Arguments = [.. run.Arguments, "-v"] }).Start();
        Until.True(() => service.Stderr.Contains("matched=1"), "the first round");
        Assert.Contains(" warning ", service.Stderr, StringComparison.Ordinal);
        Command.Run("kill", "-s", "TERM", $"{NamespaceFarm.FirstChild(service.Id)}").Expect(0);
        service.WaitForEnd().Expect(0);
    }

    /// <summary>
    /// After the first thread has ended, /proc/PID/fd belongs to root, but the process's user may still inspect the other
    /// threads.
    /// </summary>
    [Theory]
    [Values("own-table", "first-ended")]
    public void Disconnect_SocketInAThreadOfTheUsersOwnProcess_NeedsNoPrivilege(string thread)
    {
        using var home = LabProcess.StartIsolated("--count", "0", "--port", "4999");
        using var lab = Users.StartLab(home, Users.Somebody, "--count", "2", "--client-process", "--thread", thread, "--process-name", "74687265616473");
        ToolRun run = new(home) { Wrapper = Users.As(Users.Somebody) };
        var dry = run.Run("-n", "--method", "disconnect", "-s", LabProcess.PortText).Expect(0);
        Assert.Contains("threads[", dry.Stdout, StringComparison.Ordinal);
        run.Run("--method", "disconnect", "-s", LabProcess.PortText, "--comm", "threads").Expect(0, "closed=2");
        lab.ExpectState("server reset=2");
    }

    private static ToolRun Unprivileged(LabProcess lab, params string[] arguments)
        => new ToolRun(lab) { Arguments = [.. arguments, "--disable-syslog"] }.Unprivileged();
}
