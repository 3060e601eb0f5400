using System.Globalization;

namespace TcpCloser.KernelTests;

/// <summary>
/// The answers of --check for a set of capabilities agree with what a run with that set does, and so do the capabilities that are
/// reported missing.
/// </summary>
public sealed class CapabilityTests
{
    private static readonly string[] s_all = ["net_admin", "sys_ptrace", "dac_read_search", "kill"];
    private static readonly string[] s_methods = ["destroy", "disconnect", "kill"];
    private static readonly string[][] s_needed = [["net_admin"], ["sys_ptrace", "dac_read_search"], ["sys_ptrace", "dac_read_search", "kill"]];

    public static TheoryData<string> Sets =>
        [.. Enumerable.Range(0, 1 << s_all.Length).Select(bits => string.Join(' ', s_all.Where((_, i) => (bits >> i & 1) != 0)))];

    [Theory]
    [MemberData(nameof(Sets))]
    public void Check_EachSetOfCapabilities_AgreesWithRunsByEachMethod(string set)
    {
        Users.Require();
        string[] capabilities = set.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        // One port and one process for each method.
        using var lab = LabProcess.StartIsolated("--count", "3", "--ports", "3", "--processes", "3", "--client-process");
        ToolRun run = new(lab) { Wrapper = Users.As(Users.Nobody, capabilities) };

        var check = (run with { Arguments = ["--check"] }).Run();

        for (int i = 0; i < s_methods.Length; i++)
        {
            string port = (LabProcess.Port + i).ToString(CultureInfo.InvariantCulture);
            var result = (run with { Arguments = ["--method", s_methods[i], "-s", port, "--disable-syslog"] }).Run();

            string line = check.CheckLine(s_methods[i]);
            string[] words = line.Split(' ', 3, StringSplitOptions.RemoveEmptyEntries);
            Assert.Equal(s_needed[i].All(capabilities.Contains) ? "yes" : "no", words[1]);
            result.Expect(words[1] == "yes" ? 0 : 3);
            Assert.Equal(words[1] == "yes" ? 1 : 0, result.Summary("closed"));
            Assert.Equal(words[1] == "yes" ? 1 : 0, lab.List().Count(connection => connection.Index == i && connection.Server.View != "alive"));
            if (words[1] == "no")
            {
                // Check and run report the same capability, and it is one that the set lacks.
                string missing = Missing(words[2]);
                Assert.DoesNotContain(missing["CAP_".Length..].ToLowerInvariant(), capabilities);
                Assert.Contains(result.Log, line => line.Contains(" error ") && line.Contains(missing + " is missing"));
            }
        }

        bool all = capabilities.Contains("net_admin") || (capabilities.Contains("sys_ptrace") && capabilities.Contains("dac_read_search"));
        check.Expect(all ? 0 : 3);
    }

    /// <summary>The message names the process that refuses; "run as root" does not help a user who is root already.</summary>
    [Theory]
    [InlineData("unshare -U -r")] // with every capability, but none of them is valid outside its user namespace
    [InlineData("setpriv --bounding-set -sys_ptrace --inh-caps -sys_ptrace")] // as in a container
    public void Check_RootWithoutAccessToAProcess_NamesTheProcessAndNotRoot(string become)
    {
        Users.Require();
        using var lab = LabProcess.StartIsolated("--count", "1");
        ToolRun run = new(lab) { Wrapper = become.Split(' ') };

        var check = (run with { Arguments = ["--check"] }).Run();
        var result = run.Run("--method", "disconnect", "-s", $"{LabProcess.Port}").Expect(3);

        string line = check.CheckLine("disconnect");
        Assert.StartsWith("disconnect        no ", line, StringComparison.Ordinal);
        Assert.Contains("of process ", line, StringComparison.Ordinal);
        Assert.DoesNotContain("run as root", check.Stdout, StringComparison.Ordinal);
        Assert.DoesNotContain("run as root", result.Stderr, StringComparison.Ordinal);
        Assert.Contains(result.Log, line => line.Contains(" error ") && line.Contains("of process "));
        lab.ExpectState("server alive=1");
    }

    private static string Missing(string reason)
    {
        int end = reason.IndexOf(" is missing", StringComparison.Ordinal);
        Assert.True(end > 0, reason);
        return reason[(reason.LastIndexOf(' ', end - 1) + 1)..end];
    }
}
