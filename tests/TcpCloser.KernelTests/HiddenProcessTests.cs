namespace TcpCloser.KernelTests;

/// <summary>Processes that /proc does not show: hidden by hidepid=, or in a different pid namespace than the program.</summary>
public sealed class HiddenProcessTests
{
    private const string Name = "6f74686572"; // other
    private static readonly string[] s_needProcesses = ["disconnect", "probe", "keepalive", "kill", "filter-processes"];

    /// <summary>
    /// In the Lab's network namespace, and in a pid namespace without the Lab's processes: like a container without the
    /// host's.
    /// </summary>
    private static readonly string[] s_container = ["unshare", "-p", "-f", "--mount-proc", "--kill-child", "--"];

    public static TheoryData<string> RunsThatNeedProcesses =>
    [
        "--comm other",
        "--comm other -n",
        $"--pid PID --uid 0 -s {LabProcess.PortText}",
        $"--method disconnect -s {LabProcess.PortText}",
        $"--method disconnect -s {LabProcess.PortText} -n",
        $"--method keepalive -s {LabProcess.PortText}",
        $"--method kill -s {LabProcess.PortText}",
        $"--method kill -s {LabProcess.PortText} -n",
        $"--method disconnect -s {LabProcess.PortText} -t 1h -i 1h",
        $"--method keepalive -s {LabProcess.PortText} -t 1h -i 1h",
        $"--method kill -s {LabProcess.PortText} -t 1h -i 1h",
        "--comm other -t 1h -i 1h",
        $"-s {LabProcess.PortText} --not-comm other",
        $"-s {LabProcess.PortText} --not-comm other -n",
        $"-s {LabProcess.PortText} --not-comm other -i 1h",
    ];

    [Fact]
    public void Check_ProcHidesProcesses_AnswersNoToMethodsThatNeedThem()
    {
        using var lab = StartHidden();
        var result = new ToolRun(lab) { Wrapper = Users.As(Users.Somebody, "net_admin"), Arguments = ["--check"] }.Run().Expect(0);
        AssertNo(result, "hidepid=", "CAP_SYS_PTRACE");
        Assert.Equal(("yes", "yes"), (result.Answer("destroy"), result.Answer("close-all")));
        // With the capability, /proc shows them.
        result = new ToolRun(lab) { Wrapper = Users.As(Users.Somebody, "net_admin", "sys_ptrace", "dac_read_search", "kill"), Arguments = ["--check"] }.Run().Expect(0);
        Assert.All(s_needProcesses, name => Assert.Equal("yes", result.Answer(name)));
    }

    [Theory]
    [MemberData(nameof(RunsThatNeedProcesses))]
    public void Run_ProcHidesProcesses_Exits3WithTheReason(string arguments)
    {
        using var lab = StartHidden();
        var result = new ToolRun(lab) { Wrapper = Users.As(Users.Somebody, "net_admin") }
            .Run(arguments.Replace("PID", $"{lab.Processes("server").Single()}").Split(' ')).Expect(3);
        Assert.Contains(result.Log, static line => line.Contains(" error ") && line.Contains("hidepid="));
        lab.ExpectState("server alive=2");
    }

    /// <summary>An id that no process has is unknown whether processes are hidden or not.</summary>
    [Fact]
    public void Run_UnknownPidWhileProcHidesProcesses_IsAWarning()
    {
        using var lab = StartHidden();
        var result = new ToolRun(lab) { Wrapper = Users.As(Users.Somebody) }.Run("--pid", "4194303").Expect(0);
        Assert.Contains(result.Log, static line => line.Contains(" warning no process matches "));
    }

    /// <summary>A user's own processes are never hidden from that user.</summary>
    [Fact]
    public void Service_ProcHidesOtherUsersProcesses_ClosesItsOwnUsers()
    {
        using var lab = StartHidden();
        using var own = Users.StartLab(lab, Users.Somebody, "--count", "2", "--port", "5001", "--client-process", "--process-name", Name);
        ToolRun run = new(lab) { Wrapper = Users.As(Users.Somebody) };
        string[] uid = ["--uid", $"{Users.Somebody}"];

        var check = (run with { Arguments = ["--check", .. uid] }).Run().Expect(3);
        Assert.Equal(("partly", "partly"), (check.Answer("disconnect"), check.Answer("filter-processes")));

        using var service = run.Start([.. uid, "-s", "5001", "--comm", "other", "-i", "50ms"]);
        own.WaitEnded(2);
        Command.Run("kill", "-s", "TERM", $"{NamespaceFarm.FirstChild(service.Id)}").Expect(0);
        var result = service.WaitForEnd().Expect(0, "closed=2");
        Assert.Contains(result.Log, static line => line.Contains(" warning ") && line.Contains("hidepid="));
        Assert.DoesNotContain(result.Log, static line => line.Contains(" error "));
        lab.ExpectState("server alive=2");
    }

    [Fact]
    public void Check_HoldersInAnotherPidNamespace_AnswersNoToMethodsThatNeedThem()
    {
        using var lab = StartOutside();
        var result = new ToolRun(lab) { Wrapper = s_container, Arguments = ["--check"] }.Run().Expect(0);
        AssertNo(result, "pid namespace", "--pid=host");
        Assert.Equal(("yes", "yes"), (result.Answer("destroy"), result.Answer("close-all")));
    }

    [Theory]
    [MemberData(nameof(RunsThatNeedProcesses))]
    public void Run_HoldersInAnotherPidNamespace_Exits3WithTheReason(string arguments)
    {
        using var lab = StartOutside();
        var result = new ToolRun(lab) { Wrapper = s_container }
            .Run(arguments.Replace("PID", "7777").Split(' ')).Expect(3);
        Assert.Contains(result.Log, static line => line.Contains(" error ") && line.Contains("--pid=host"));
        lab.ExpectState("server alive=2, processes dead=0");
    }

    [Fact]
    public void Check_SomeHoldersInAnotherPidNamespace_AnswersPartly()
    {
        using var outside = StartOutside();
        using var inside = LabProcess.Start(
            new LabEnvironment { Enter = outside.Inside(), OwnProcesses = true, Preparation = "set -- unshare -p -f --mount-proc --kill-child -- \"$@\"" },
            "--count", "1", "--port", "5001");

        string[] enter = ["nsenter", "-t", $"{NamespaceFarm.FirstChild(inside.Id)}", "-n", "-p", "-m", "--"];
        var result = new ToolRun(enter) { Arguments = ["--check"] }.Run().Expect(0);

        Assert.Equal("partly", result.Answer("disconnect"));
        Assert.Matches(@"\(\d+ of \d+ have none here\)", result.CheckLine("disconnect"));
    }

    /// <summary>In the machine's own network namespace, init is outside the pid namespace, whether it holds a socket or not.</summary>
    [Fact]
    public void Check_OwnPidNamespaceInTheMachinesNetwork_AnswersNo()
    {
        Assert.SkipWhen(Namespaces.NeedUserNamespace || !File.Exists("/proc/sys/net/ipv4/tcp_mem"), "this is not the machine's network namespace");
        AssertNo(Command.Run([.. s_container, Binaries.Tool, "--check"]).Expect(0), "pid namespace");
    }

    [Fact]
    public void Probe_HoldersInAnotherPidNamespace_Exits3WithTheReason()
    {
        using var lab = StartOutside();
        var result = new ToolRun(lab) { Wrapper = s_container }.Run("--probe", "3s", "-s", LabProcess.PortText).Expect(3);
        Assert.Contains("--pid=host", Assert.Single(result.Log, static line => line.Contains(" connections could be probed")), StringComparison.Ordinal);
        lab.ExpectState("server alive=2");
    }

    /// <summary>Hides processes as hidepid=invisible of a server and ProtectProc=invisible of a unit do.</summary>
    private static LabProcess StartHidden()
    {
        Users.Require();
        return LabProcess.Start(
            new LabEnvironment { OwnProcesses = true, Preparation = "mount -t proc -o hidepid=2 proc /proc" }, "--count", "2", "--client-process", "--process-name", Name);
    }

    private static LabProcess StartOutside() => LabProcess.StartIsolated("--count", "2", "--client-process", "--process-name", Name);

    private static void AssertNo(Result result, params string[] words)
    {
        Assert.All(s_needProcesses, name =>
        {
            Assert.Equal("no", result.Answer(name));
            Assert.All(words, word => Assert.Contains(word, result.CheckLine(name), StringComparison.Ordinal));
        });
    }
}
