namespace TcpCloser.KernelTests;

/// <summary>
/// If sock_diag(7) or nearly every descriptor is unavailable: one line with the reason, and an exit status; never a
/// crash.
/// </summary>
public sealed class ScarcityTests
{
    public static TheoryData<string, string> RunsWithoutNetlink
    {
        get
        {
            TheoryData<string, string> data = [];
            foreach (string errno in new[] { "93 EPROTONOSUPPORT", "97 EAFNOSUPPORT", "1 EPERM", "13 EACCES" })
            {
                foreach (string arguments in new[] { "-s 5000", "-n -s 5000", "-s 5000 -i 1h", "-s 5000 --method disconnect", "-s 5000 --use-proc", "-s 5000 --all-netns", "--check" })
                {
                    data.Add(errno, arguments);
                }
            }

            return data;
        }
    }

    [Theory]
    [MemberData(nameof(RunsWithoutNetlink))]
    public void Run_NetlinkCannotBeOpened_Exits3WithTheReason(string errno, string arguments)
    {
        string[] words = errno.Split(' ');
        using var lab = LabProcess.StartIsolated("--count", "1");
        var result = new ToolRun(lab) { Wrapper = [Binaries.Lab, "confine", "--netlink-errno", words[0], "--"] }
            .Run(arguments.Split(' ')).Expect(3);

        string[] lines = arguments == "--check" ? [result.CheckLine("dump")] : [.. result.Log.Where(line => line.Contains(" error ")).Distinct()];
        Assert.NotEmpty(lines);
        Assert.All(lines, line => Assert.Contains("NETLINK_SOCK_DIAG", line, StringComparison.Ordinal));
        Assert.All(lines, line => Assert.Contains(words[1], line, StringComparison.Ordinal));
        Assert.All(lines, line => Assert.Contains("seccomp", line, StringComparison.Ordinal));
        Assert.DoesNotContain("run as root", result.Stderr + result.Stdout, StringComparison.Ordinal);
        lab.ExpectState("server alive=1, processes dead=0");
    }

    [Theory]
    [Rows("4 | --check | 3", "4 | -s 5000 | 1", "4 | -n -s 5000 | 1", "4 | -s 5000 -i 1h | 1", "4 | -s 5000 --all-netns | 1",
        "4 | -s 5000 --pid 1 | 1", "5 | -s 5000 -i 1h | 1", "5 | --check | 3", "5 | -s 5000 --pid 1 | 1",
        "5 | -s 5000 --comm tcp-closer-lab | 1")]
    public void Run_TooFewDescriptors_FailsAndNamesTheLimitToRaise(int descriptors, string arguments, int exit)
    {
        using var lab = LabProcess.StartIsolated("--count", "1");
        var result = WithDescriptors(lab, descriptors, [.. arguments.Split(' '), "--disable-syslog"]).Run().Expect(exit);
        string[] lines = arguments == "--check" ? [result.CheckLine("destroy")] : [.. result.Log.Where(line => line.Contains("EMFILE"))];
        Assert.NotEmpty(lines);
        Assert.All(lines, line => Assert.Contains("ulimit -n", line, StringComparison.Ordinal));
        Assert.DoesNotContain("run as root", result.Stderr + result.Stdout, StringComparison.Ordinal);
        lab.ExpectState("server alive=1");
    }

    /// <summary>With few descriptors a round may succeed or fail, but a failed search is never reported as an empty result.</summary>
    [Theory]
    [Values("--method auto", "--method disconnect", "--use-proc", "--pid {pid}", "--comm tcp-closer-lab", "--all-netns",
        "--netns pid:{pid}")]
    public void Run_FourToTenDescriptors_ReportIsTrue(string option)
    {
        for (int descriptors = 4; descriptors <= 10; descriptors++)
        {
            using var lab = LabProcess.StartIsolated("--count", "2", "--client-process");
            string pid = $"{lab.Processes("server").Single()}";

            var result = WithDescriptors(
                lab, descriptors, [.. option.Replace("{pid}", pid).Split(' '), "-s", $"{LabProcess.Port}", "--disable-syslog"]).Run();

            int closed = result.Summary("closed");
            Assert.Equal(closed, lab.List().Count(connection => connection.Server.View != "alive"));
            result.Expect(closed == 2 ? 0 : 1);
            Assert.True(closed == 2 || result.Stderr.Contains("ulimit -n"), result.Stderr);
            Assert.True(closed == 2 || descriptors < 10, result.Stderr);
        }
    }

    private static ToolRun WithDescriptors(LabProcess lab, int descriptors, string[] arguments)
        => new(lab)
        {
            Wrapper = ["prlimit", $"--nofile={descriptors}"],
            Redirections = "3<&- 4<&- 5<&- 6<&- 7<&- 8<&- 9<&-",
            Arguments = arguments,
        };
}
