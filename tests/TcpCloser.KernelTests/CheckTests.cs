namespace TcpCloser.KernelTests;

/// <summary><c>--check</c> reports what is possible on this machine, is right about it, and changes nothing.</summary>
public sealed class CheckTests
{
    private static readonly string[] s_unprivileged = ["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups"];

    [Fact]
    public void Check_EveryPrivilege_AnswersYesThroughout()
    {
        using var lab = LabProcess.StartIsolated("--count", "3");
        var result = lab.Tool("--check").Expect(0);
        foreach (string name in new[] { "dump", "destroy", "disconnect", "kill", "filter-ports", "filter-addresses", "filter-mark", "filter-cgroup", "close-all" })
        {
            Assert.Equal("yes", result.Answer(name));
        }
        lab.ExpectState("server alive=3, processes dead=0");
    }

    [Fact]
    public void Check_NoPrivilege_NamesTheMissingCapabilities()
    {
        using var lab = LabProcess.StartIsolated("--count", "1");
        Assert.SkipWhen(Namespaces.NeedUserNamespace, "a user namespace has no second user");
        var result = new ToolRun(lab) { Wrapper = s_unprivileged, Arguments = ["--check"] }.Run().Expect(3);

        Assert.Equal("yes", result.Answer("dump"));
        foreach (var (name, missing) in new[] { ("destroy", "CAP_NET_ADMIN"), ("disconnect", "CAP_SYS_PTRACE"), ("kill", "CAP_DAC_READ_SEARCH"), ("filter-mark", "CAP_NET_ADMIN") })
        {
            Assert.Equal("no", result.Answer(name));
            Assert.Contains(missing, result.CheckLine(name), StringComparison.Ordinal);
        }
        Assert.Equal("yes", result.Answer("filter-ports"));
        Assert.Equal("no", result.Answer("close-all"));
        // A run confirms the answer.
        new ToolRun(lab) { Wrapper = s_unprivileged }.Run("-s", $"{LabProcess.Port}").Expect(3);
    }

    [Theory]
    [InlineData("-net_admin", "destroy", 0)] // disconnect still reaches every holder
    [InlineData("-sys_ptrace", "disconnect", 0)] // destroy does not need it
    public void Check_OneCapabilityMissing_AnswersNoToTheMethodThatNeedsIt(string capability, string name, int exit)
    {
        using var lab = LabProcess.StartIsolated("--count", "1");
        Assert.SkipWhen(Namespaces.NeedUserNamespace, "in a user namespace all users have the same capabilities");
        // Other root processes keep the capability, so their sockets are out of reach without it.
        var result = new ToolRun(lab) { Wrapper = ["setpriv", "--bounding-set", capability, "--inh-caps", capability], Arguments = ["--check"] }.Run().Expect(exit);
        Assert.Equal("no", result.Answer(name));
        Assert.Equal("yes", result.Answer("close-all"));
    }

    [Fact]
    public void Check_NetworkOwnedByItsUserNamespace_AnswersYesAndRunCloses()
    {
        using var lab = LabProcess.Start(new LabEnvironment { OwnProcesses = true, Preparation = "set -- unshare -U -r -n -p -f --mount-proc --kill-child \"$@\"" }, "--count", "2");
        int inside = NamespaceFarm.FirstChild(lab.Id);
        var result = Command.Run("nsenter", "-t", $"{inside}", "-U", "-n", "-p", "-m", "--preserve-credentials", "--", Binaries.Tool, "--check").Expect(0);

        foreach (string name in new[] { "dump", "destroy", "disconnect", "kill", "close-all" })
        {
            Assert.Equal("yes", result.Answer(name));
        }

        Command.Run(
            "nsenter", "-t", $"{inside}", "-U", "-n", "-p", "-m", "--preserve-credentials", "--", Binaries.Tool, "-s", $"{LabProcess.Port}", "--disable-syslog").Expect(0);
        lab.ExpectState("server aborted=2");
    }

    [Fact]
    public void Check_NetworkOfAnotherUserNamespace_AnswersNoAndRunClosesNothing()
    {
        using var lab = LabProcess.StartIsolated("--count", "2");
        var result = new ToolRun(lab) { Wrapper = ["unshare", "-U", "-r"], Arguments = ["--check"] }.Run().Expect(3);
        Assert.Equal("yes", result.Answer("dump"));
        Assert.Equal("no", result.Answer("destroy"));
        Assert.Equal("no", result.Answer("close-all"));
        new ToolRun(lab) { Wrapper = ["unshare", "-U", "-r"] }.Run("--method", "destroy", "-s", $"{LabProcess.Port}").Expect(3);
        lab.ExpectState("server alive=2");
    }

    [Theory]
    [Values(true, false)]
    public void Check_Json_HasTheAnswersOfTheText(bool privileged)
    {
        using var lab = LabProcess.StartIsolated("--count", "1");
        Assert.SkipWhen(!privileged && Namespaces.NeedUserNamespace, "a user namespace has no second user");
        ToolRun run = new(lab) { Wrapper = privileged ? [] : s_unprivileged, Arguments = ["--check"] };

        var text = run.Run();
        var json = (run with { Arguments = ["--check", "--json"] }).Run();

        Assert.Equal(text.ExitCode, json.ExitCode);
        string[] objects = ConnectionRecord.Objects(json, "check");
        Assert.Equal(objects.Length, text.Stdout.Split('\n', StringSplitOptions.RemoveEmptyEntries).Length);
        foreach (string line in objects)
        {
            using var document = JsonDocument.Parse(line);
            var root = document.RootElement;
            string name = root.GetProperty("name").GetString()!;
            Assert.Equal(text.Answer(name) == "yes", root.GetProperty("possible").GetBoolean());
            Assert.Equal(text.Answer(name) == "no", root.TryGetProperty("reason", out _));
        }
    }

    [Fact]
    public void Check_BuildWithoutSockDestroy_AnswersNoToDestroy()
    {
        using var lab = LabProcess.StartIsolated("--count", "1");
        var result = new ToolRun(lab) { Binary = Binaries.ToolWithoutSockDestroy, Arguments = ["--check"] }.Run().Expect(0);
        Assert.Equal("no", result.Answer("destroy"));
        Assert.Equal("yes", result.Answer("disconnect"));
    }
}
