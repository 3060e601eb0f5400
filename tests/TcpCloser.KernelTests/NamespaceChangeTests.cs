namespace TcpCloser.KernelTests;

/// <summary>
/// Namespaces that appear and disappear during the search: not an error, because there is nothing to close in them; the others are
/// searched.
/// </summary>
public sealed class NamespaceChangeTests
{
    [Theory]
    [InlineData("umount /run/netns/leaves; rm /run/netns/leaves")] // the name is gone
    [InlineData("umount /run/netns/leaves")] // the state that ip-netns(8) leaves for a moment while it deletes one
    public void AllNetns_NamedNamespaceEndsAfterListing_IsNotAnError(string end)
    {
        using var farm = NamespaceFarm.Start(1, "--count", "2");
        Command.Run([.. farm.Home.Inside(), "sh", "-ec", "touch /run/netns/leaves; unshare -n mount --bind /proc/self/ns/net /run/netns/leaves"]).Expect(0);
        using Strace strace = new();
        using var run = Start(farm, strace.StoppingIn("getdents64", 1, "/run/netns"));

        strace.AwaitStop();
        Command.Run([.. farm.Home.Inside(), "sh", "-ec", end]).Expect(0);
        SignalTool(run, "CONT");

        var result = run.WaitForEnd().Expect(0);
        Assert.DoesNotContain(result.Log, line => line.Contains(" error "));
        result.ExpectSummary("closed=2");
    }

    [Fact]
    public void AllNetns_ProcessEndsAfterListing_IsNotAnError()
    {
        using var farm = NamespaceFarm.Start(1, "--count", "2");
        using var leaves = Command.Start([.. farm.Home.Inside(), "unshare", "-n", "sh", "-c", "echo here; read -r line"]);
        leaves.Await("here");
        using Strace strace = new();
        using var run = Start(farm, strace.StoppingIn("getdents64", 1, "/proc"));

        strace.AwaitStop();
        leaves.WriteLine("end");
        leaves.WaitForEnd();
        SignalTool(run, "CONT");

        var result = run.WaitForEnd().Expect(0);
        Assert.DoesNotContain(result.Log, line => line.Contains(" error "));
        result.ExpectSummary("closed=2");
    }

    /// <summary>Namespaces are created and deleted as fast as possible.</summary>
    [Fact]
    public void AllNetns_NamespacesAppearAndDisappearConstantly_NeverFails()
    {
        using var farm = NamespaceFarm.Start(1, "--count", "1");
        using var churn = Command.Start(
        [
            .. farm.Home.Inside(), "sh", "-c",
            "mount --bind /run/netns /run/netns; mount --make-shared /run/netns; i=0; while ip netns add churn$((i % 5)); do i=$((i + 1)); test $i -lt 5 || ip netns del churn$((i % 5)); test $i != 20 || echo on; done",
        ]);
        churn.Await("on");

        for (int i = 0; i < 60; i++)
        {
            var result = farm.Home.Tool("--all-netns", "-s", "7").Expect(0);
            Assert.DoesNotContain(result.Log, line => line.Contains(" error "));
        }

        Assert.False(churn.HasExited, churn.Stderr);
        farm.Home.Tool("--all-netns", "-s", LabProcess.PortText).Expect(0, "closed=1");
    }

    /// <summary>
    /// For a process that ends while the path to its namespace is resolved, the kernel once returns EACCES: this happened twice a
    /// second.
    /// </summary>
    [Fact]
    public void AllNetns_ProcessesEndWhileTheirNamespaceIsOpened_IsNotAnError()
    {
        using var farm = NamespaceFarm.Start(1, "--count", "1");
        using var service = new ToolRun(farm.Home).Start("-i", "1ms", "--all-netns", "-s", "7");
        const string Loop = "i=0; while test $i -lt 4000; do /bin/true; i=$((i + 1)); done";
        Command.Run([.. farm.Home.Inside(), "sh", "-c", $"({Loop}) & {Loop}; wait"]).Expect(0);
        Strace.Signal(service, "TERM"); // the tool is the child of nsenter
        var result = service.WaitForEnd().Expect(0);
        Assert.DoesNotContain(result.Log, line => line.Contains(" error "));
    }

    private static Command Start(NamespaceFarm farm, string[] wrapper)
        => new ToolRun(farm.Home) { Wrapper = wrapper }.Start("--all-netns", "-s", LabProcess.PortText);

    /// <summary>The tool is a child of strace(1), which is a child of nsenter(1).</summary>
    private static void SignalTool(Command run, string signal)
        => Command.Run("kill", "-s", signal, $"{NamespaceFarm.FirstChild(NamespaceFarm.FirstChild(run.Id))}").Expect(0);
}
