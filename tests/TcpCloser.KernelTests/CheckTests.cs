using System.Text.Json;
using TcpCloser.KernelTests.Harness;
using TcpCloser.KernelTests.Harness.Reach;
using Xunit;

namespace TcpCloser.KernelTests;

/// <summary>--check: says what is possible here, is right about it, and changes nothing.</summary>
public sealed class CheckTests
{
    private static readonly string[] s_unprivileged = ["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups"];

    [Fact]
    public void WithEveryPrivilegeEverythingIsPossible()
    {
        using var lab = LabProcess.Start(new LabSurroundings { OwnProcesses = true }, "--count", "3");

        var result = lab.Tool("--check").Expect(0);

        foreach (string name in new[] { "dump", "destroy", "disconnect", "kill", "filter-ports", "filter-addresses", "filter-mark", "filter-cgroup", "close-all" })
        {
            Assert.Equal("yes", Answer(result, name));
        }

        Assert.Equal(3, lab.State()["server", "alive"]);
        Assert.Equal(0, lab.State()["processes", "dead"]);
    }

    [Fact]
    public void WithoutPrivilegeItSaysWhatIsMissingAndHowToGetIt()
    {
        using var lab = LabProcess.Start(new LabSurroundings { OwnProcesses = true }, "--count", "1");
        Assert.SkipWhen(Namespaces.NeedUserNamespace, "in a user namespace there is no second user to be");

        var result = new ToolRun(lab) { Wrapper = s_unprivileged, Arguments = ["--check"] }.Run().Expect(3);

        Assert.Equal("yes", Answer(result, "dump"));
        foreach (var (name, missing) in new[] { ("destroy", "CAP_NET_ADMIN"), ("disconnect", "CAP_SYS_PTRACE"), ("kill", "CAP_DAC_READ_SEARCH"), ("filter-mark", "CAP_NET_ADMIN") })
        {
            Assert.Equal("no", Answer(result, name));
            Assert.Contains(missing, Line(result, name), StringComparison.Ordinal);
        }
        Assert.Equal("yes", Answer(result, "filter-ports"));
        Assert.Equal("no", Answer(result, "close-all"));
        // It is right about that.
        new ToolRun(lab) { Wrapper = s_unprivileged, Arguments = ["-s", $"{LabProcess.Port}", "--disable-syslog"] }.Run().Expect(3);
    }

    [Theory]
    [InlineData("-net_admin", "destroy", 0)] // disconnect still reaches every owner
    [InlineData("-sys_ptrace", "disconnect", 0)] // destroy does not need it
    public void OneMissingCapabilityIsNamedAtWhatNeedsIt(string capability, string name, int exit)
    {
        using var lab = LabProcess.Start(new LabSurroundings { OwnProcesses = true }, "--count", "1");
        Assert.SkipWhen(Namespaces.NeedUserNamespace, "in a user namespace everybody has the same capabilities");
        // Another process of root's keeps the capability, so that its sockets are out of reach without it.
        var result = new ToolRun(lab) { Wrapper = ["setpriv", "--bounding-set", capability, "--inh-caps", capability], Arguments = ["--check"] }.Run().Expect(exit);

        Assert.Equal("no", Answer(result, name));
        Assert.Equal("yes", Answer(result, "close-all"));
    }

    [Fact]
    public void InAUserNamespaceOfItsOwnItIsMasterOfItsNetwork()
    {
        using var lab = LabProcess.Start(new LabSurroundings { OwnProcesses = true, Preparation = "set -- unshare -U -r -n -p -f --mount-proc --kill-child \"$@\"" }, "--count", "2");
        int inside = NamespaceFarm.FirstBelow(lab.Id);

        var result = Command.Run("nsenter", "-t", $"{inside}", "-U", "-n", "-p", "-m", "--preserve-credentials", "--", Binaries.Tool, "--check").Expect(0);

        foreach (string name in new[] { "dump", "destroy", "disconnect", "kill", "close-all" })
        {
            Assert.Equal("yes", Answer(result, name));
        }

        Command.Run(
            "nsenter", "-t", $"{inside}", "-U", "-n", "-p", "-m", "--preserve-credentials", "--", Binaries.Tool, "-s", $"{LabProcess.Port}", "--disable-syslog").Expect(0);
        Assert.Equal(2, lab.State()["server", "aborted"]);
    }

    [Fact]
    public void InAUserNamespaceOverAnothersNetworkItMayNot()
    {
        using var lab = LabProcess.Start(new LabSurroundings { OwnProcesses = true }, "--count", "2");

        var result = new ToolRun(lab) { Wrapper = ["unshare", "-U", "-r"], Arguments = ["--check"] }.Run().Expect(3);

        Assert.Equal("yes", Answer(result, "dump"));
        Assert.Equal("no", Answer(result, "destroy"));
        Assert.Equal("no", Answer(result, "close-all"));
        new ToolRun(lab) { Wrapper = ["unshare", "-U", "-r"], Arguments = ["--method", "destroy", "-s", $"{LabProcess.Port}", "--disable-syslog"] }.Run().Expect(3);
        Assert.Equal(2, lab.State()["server", "alive"]);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void AsJsonItSaysTheSame(bool privileged)
    {
        using var lab = LabProcess.Start(new LabSurroundings { OwnProcesses = true }, "--count", "1");
        Assert.SkipWhen(!privileged && Namespaces.NeedUserNamespace, "in a user namespace there is no second user to be");
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
            Assert.Equal(Answer(text, name) == "yes", root.GetProperty("possible").GetBoolean());
            Assert.Equal(Answer(text, name) == "no", root.TryGetProperty("reason", out _));
        }
    }

    [Fact]
    public void TheBuildWithoutSockDestroySaysSo()
    {
        using var lab = LabProcess.Start(new LabSurroundings { OwnProcesses = true }, "--count", "1");

        var result = new ToolRun(lab) { Binary = Binaries.ToolWithoutSockDestroy, Arguments = ["--check"] }.Run().Expect(0);

        Assert.Equal("no", Answer(result, "destroy"));
        Assert.Equal("yes", Answer(result, "disconnect"));
    }

    private static string Line(Result result, string name)
        => result.Stdout.Split('\n').Single(line => line.Split(' ')[0] == name);

    private static string Answer(Result result, string name) => Line(result, name).Split(' ', StringSplitOptions.RemoveEmptyEntries)[1];
}
