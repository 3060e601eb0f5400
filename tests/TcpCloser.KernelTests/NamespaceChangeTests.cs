using System.Globalization;
using TcpCloser.KernelTests.Harness;
using TcpCloser.KernelTests.Harness.Reach;
using Xunit;

namespace TcpCloser.KernelTests;

/// <summary>Namespaces that come and go while they are looked for: no error, because there is nothing to look at; the others are closed.</summary>
public sealed class NamespaceChangeTests
{
    private static readonly string s_port = LabProcess.Port.ToString(CultureInfo.InvariantCulture);

    [Theory]
    [InlineData("umount /run/netns/leaves; rm /run/netns/leaves")] // its name is gone
    [InlineData("umount /run/netns/leaves")] // what ip-netns(8) leaves for a moment when it deletes one
    public void ANamespaceThatEndsAfterItWasListed(string end)
    {
        using var farm = NamespaceFarm.Start(1, "--count", "2");
        Command.Run([.. farm.Home.Inside(), "sh", "-ec", "touch /run/netns/leaves; unshare -n mount --bind /proc/self/ns/net /run/netns/leaves"]).Expect(0);
        using TemporaryFolder folder = new();
        Strace strace = new(folder.File("trace"));
        using var run = Start(farm, strace.StoppingIn("getdents64", 1, "/run/netns"));

        strace.AwaitStop();
        Command.Run([.. farm.Home.Inside(), "sh", "-ec", end]).Expect(0);
        SignalTool(run, "CONT");

        var result = run.WaitForEnd().Expect(0);
        Assert.DoesNotContain(result.Log, line => line.Contains(" error ", StringComparison.Ordinal));
        Assert.Equal(2, result.Summary("closed"));
    }

    [Fact]
    public void AProcessThatEndsAfterItWasListed()
    {
        using var farm = NamespaceFarm.Start(1, "--count", "2");
        using var leaves = Command.Start([.. farm.Home.Inside(), "unshare", "-n", "sh", "-c", "echo here; read -r line"]);
        leaves.Await("here");
        using TemporaryFolder folder = new();
        Strace strace = new(folder.File("trace"));
        using var run = Start(farm, strace.StoppingIn("getdents64", 1, "/proc"));

        strace.AwaitStop();
        leaves.WriteLine("end");
        leaves.WaitForEnd();
        SignalTool(run, "CONT");

        var result = run.WaitForEnd().Expect(0);
        Assert.DoesNotContain(result.Log, line => line.Contains(" error ", StringComparison.Ordinal));
        Assert.Equal(2, result.Summary("closed"));
    }

    /// <summary>As fast as they can be made and deleted.</summary>
    [Fact]
    public void NamespacesThatComeAndGoAllTheTime()
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
            Assert.DoesNotContain(result.Log, line => line.Contains(" error ", StringComparison.Ordinal));
        }

        Assert.False(churn.HasExited, churn.Stderr);
        Assert.Equal(1, farm.Home.Tool("--all-netns", "-s", s_port).Expect(0).Summary("closed"));
    }

    /// <summary>Of a process that ends while the path to its namespace is walked the kernel says EACCES, once: it was seen twice in a second.</summary>
    [Fact]
    public void ProcessesThatEndWhileTheirNamespaceIsOpened()
    {
        using var farm = NamespaceFarm.Start(1, "--count", "1");
        using var service = new ToolRun(farm.Home) { Arguments = ["-i", "1ms", "--all-netns", "-s", "7", "--disable-syslog"] }.Start();
        const string Loop = "i=0; while test $i -lt 4000; do /bin/true; i=$((i + 1)); done";
        Command.Run([.. farm.Home.Inside(), "sh", "-c", $"({Loop}) & {Loop}; wait"]).Expect(0);

        Strace.Signal(service, "TERM"); // through nsenter, whose child the tool is
        var result = service.WaitForEnd().Expect(0);
        Assert.DoesNotContain(result.Log, line => line.Contains(" error ", StringComparison.Ordinal));
    }

    private static Command Start(NamespaceFarm farm, string[] wrapper)
        => new ToolRun(farm.Home) { Wrapper = wrapper, Arguments = ["--all-netns", "-s", s_port, "--disable-syslog"] }.Start();

    /// <summary>Below nsenter(1) there is strace(1), and below that the tool.</summary>
    private static void SignalTool(Command run, string signal)
        => Command.Run("kill", "-s", signal, $"{NamespaceFarm.FirstBelow(NamespaceFarm.FirstBelow(run.Id))}").Expect(0);
}
