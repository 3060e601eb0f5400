using System.Globalization;
using TcpCloser.KernelTests.Harness;
using Xunit;

namespace TcpCloser.KernelTests;

/// <summary>What --check says of a set of capabilities is what a run with it does, and what it says is missing is what is missing.</summary>
public sealed class CapabilityTests
{
    private static readonly LabSurroundings s_own = new() { OwnProcesses = true };
    private static readonly string[] s_all = ["net_admin", "sys_ptrace", "dac_read_search", "kill"];
    private static readonly string[] s_methods = ["destroy", "disconnect", "kill"];

    public static TheoryData<string> Sets =>
        [.. Enumerable.Range(0, 1 << s_all.Length).Select(bits => string.Join(' ', s_all.Where((_, i) => (bits >> i & 1) != 0)))];

    [Theory]
    [MemberData(nameof(Sets))]
    public void CheckIsRightAboutEachMethod(string set)
    {
        Users.Require();
        string[] capabilities = set.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        // A port and a process for each method.
        using var lab = LabProcess.Start(s_own, "--count", "3", "--ports", "3", "--processes", "3", "--client-process");
        ToolRun run = new(lab) { Wrapper = Users.As(Users.Nobody, capabilities) };

        var check = (run with { Arguments = ["--check"] }).Run();

        for (int i = 0; i < s_methods.Length; i++)
        {
            string port = (LabProcess.Port + i).ToString(CultureInfo.InvariantCulture);
            var result = (run with { Arguments = ["--method", s_methods[i], "-s", port, "--disable-syslog"] }).Run();

            string line = check.Stdout.Split('\n').Single(line => line.StartsWith(s_methods[i] + " ", StringComparison.Ordinal));
            string[] words = line.Split(' ', 3, StringSplitOptions.RemoveEmptyEntries);
            result.Expect(words[1] == "yes" ? 0 : 3);
            Assert.Equal(words[1] == "yes" ? 1 : 0, result.Summary("closed"));
            Assert.Equal(words[1] == "yes" ? 1 : 0, lab.List().Count(connection => connection.Index == i && connection.Server.View != "alive"));
            if (words[1] == "no")
            {
                // Both name the same, and it is one that is not there.
                string missing = Missing(words[2]);
                Assert.DoesNotContain(missing["CAP_".Length..].ToLowerInvariant(), capabilities);
                Assert.Contains(result.Log, line => line.Contains(" error ", StringComparison.Ordinal) && line.Contains(missing + " is missing", StringComparison.Ordinal));
            }
        }

        bool all = capabilities.Contains("net_admin") || (capabilities.Contains("sys_ptrace") && capabilities.Contains("dac_read_search"));
        check.Expect(all ? 0 : 3);
    }

    [Theory]
    [InlineData("destroy", "net_admin")]
    [InlineData("disconnect", "sys_ptrace,dac_read_search")]
    [InlineData("kill", "sys_ptrace,dac_read_search,kill")]
    public void TheseAreEnough(string method, string capabilities)
    {
        Users.Require();
        using var lab = LabProcess.Start(s_own, "--count", "2", "--client-process");

        var result = new ToolRun(lab)
        {
            Wrapper = Users.As(Users.Nobody, capabilities.Split(',')),
            Arguments = ["--method", method, "-s", $"{LabProcess.Port}", "--disable-syslog"],
        }.Run().Expect(0);

        Assert.Equal(2, result.Summary("closed"));
    }

    /// <summary>Whoever is root already is not told to be, but which process it is that refuses.</summary>
    [Theory]
    [InlineData("unshare -U -r")] // with every capability, and none of them counts there
    [InlineData("setpriv --bounding-set -sys_ptrace --inh-caps -sys_ptrace")] // as in a container
    public void RootBesideAProcessThatRefusesIsNotToldToBeRoot(string become)
    {
        Users.Require();
        using var lab = LabProcess.Start(s_own, "--count", "1");
        ToolRun run = new(lab) { Wrapper = become.Split(' ') };

        var check = (run with { Arguments = ["--check"] }).Run();
        var result = (run with { Arguments = ["--method", "disconnect", "-s", $"{LabProcess.Port}", "--disable-syslog"] }).Run().Expect(3);

        string line = check.Stdout.Split('\n').Single(line => line.StartsWith("disconnect ", StringComparison.Ordinal));
        Assert.StartsWith("disconnect        no ", line, StringComparison.Ordinal);
        Assert.Contains("of process ", line, StringComparison.Ordinal);
        Assert.DoesNotContain("run as root", check.Stdout, StringComparison.Ordinal);
        Assert.DoesNotContain("run as root", result.Stderr, StringComparison.Ordinal);
        Assert.Contains(result.Log, line => line.Contains(" error ", StringComparison.Ordinal) && line.Contains("of process ", StringComparison.Ordinal));
        Assert.Equal(1, lab.State()["server", "alive"]);
    }

    private static string Missing(string reason)
    {
        int end = reason.IndexOf(" is missing", StringComparison.Ordinal);
        Assert.True(end > 0, reason);
        return reason[(reason.LastIndexOf(' ', end - 1) + 1)..end];
    }
}
