namespace TcpCloser.KernelTests;

/// <summary>
/// Closing without SOCK_DESTROY: the socket is fetched from its holder and disconnected; which process it is fetched from, and
/// what is reported if that fails.
/// </summary>
public sealed class DisconnectTests
{
    /// <summary>One holder of each socket is enough, and the search begins where it is cheapest; -v finds and names all holders.</summary>
    [Theory]
    [Values(false, true)]
    public void Disconnect_SocketWithThreeHolders_SearchesNoFurtherThanNeeded(bool findsAll)
    {
        const int Decoys = 10;
        const int Files = 1_000;
        Assert.SkipUnless(OperatingSystem.IsOSPlatformVersionAtLeast("Linux", 6, 2), "before Linux 6.2 the number of a process's descriptors cannot be read cheaply");
        using var lab = LabProcess.Start("--count", "1", "--sharers", "2", "--decoy-processes", $"{Decoys}", "--decoy-files", $"{Files}");
        using TemporaryDirectory directory = new();
        string trace = directory.File("trace");

        string[] verbose = findsAll ? ["-v"] : [];
        var result = new ToolRun(lab) { Wrapper = ["strace", "-f", "-o", trace, "-e", "trace=readlinkat"] }
            .Run(["--method", "disconnect", "-s", $"{LabProcess.Port}", .. verbose]).Expect(0, "closed=1");

        Assert.Equal(findsAll, result.Stderr.Contains(" owners=3"));
        Assert.Equal(findsAll, File.ReadLines(trace).Count() > Decoys * Files);
        lab.ExpectState("processes dead=0");
    }

    [Theory]
    [Rows("EPERM | 3 | capabilities that this process lacks", "ENOSYS | 3 | Linux 5.6")]
    public void Disconnect_PidfdGetfdFails_ReportsTheReason(string errno, int exit, string words)
    {
        using var lab = LabProcess.Start("--count", "2");
        using TemporaryDirectory directory = new();
        var result = new ToolRun(lab) { Wrapper = ["strace", "-f", "-o", directory.File("trace"), "-e", "trace=pidfd_getfd", "-e", $"inject=pidfd_getfd:error={errno}"] }
            .Run("--method", "disconnect", "-s", $"{LabProcess.Port}").Expect(exit);
        Assert.Contains(words, result.Stderr, StringComparison.Ordinal);
        result.ExpectSummary("failed=2");
        lab.ExpectState("server alive=2");
    }

    [Fact]
    public void Disconnect_ConnectFailsWithEbusy_NamesTheAffectedKernels()
    {
        using var lab = LabProcess.Start("--count", "2");
        using TemporaryDirectory directory = new();
        var result = new ToolRun(lab) { Wrapper = ["strace", "-f", "-o", directory.File("trace"), "-e", "trace=connect", "-e", "inject=connect:error=EBUSY:when=1"] }
            .Run("--method", "disconnect", "-s", $"{LabProcess.Port}").Expect(1);

        result.ExpectSummary("failed=1 closed=1");
        Assert.EndsWith(" errno=EBUSY", Assert.Single(result.Log, line => line.Contains(" error failed ")), StringComparison.Ordinal);
        Assert.Single(result.Log, line => line.Contains(" error ") && line.Contains("6.4 to 6.6"));
        lab.ExpectState("server alive=1");
    }

    [Theory]
    [Values(0, 1)]
    public void Disconnect_DescriptorReusedForAnotherSocket_IsSkipped(int sharers)
    {
        using var lab = LabProcess.Start("--count", "2", "--client-process", "--sharers", $"{sharers}");
        using TemporaryDirectory directory = new();
        string trace = directory.File("trace");
        string[] client = lab.List()[0].ClientAddress.Split(':');

        // The tool stops once it has opened the holder's pidfd: it has read which descriptor the socket is, and has not fetched it yet.
        using var run = new ToolRun(lab)
        {
            Wrapper = ["strace", "-f", "-o", trace, "-e", "trace=pidfd_open,pidfd_getfd", "-e", "inject=pidfd_open:signal=SIGSTOP:when=1"],
            Arguments = ["--method", "disconnect", "-s", $"{LabProcess.Port}", "-d", client[1], "--disable-syslog"],
        }.Start();
        Until.True(() => File.Exists(trace) && File.ReadAllText(trace).Contains("stopped by SIGSTOP"), "the stopped tool");
        Assert.DoesNotContain("pidfd_getfd", File.ReadAllText(trace), StringComparison.Ordinal);
        lab.Ask("reuse 1 0");
        Strace.Signal(run, "CONT");
        var result = run.WaitForEnd();

        // Connection 1 now has both descriptors, and must live. Connection 0 is held by the sharer only, or by no process.
        Assert.Equal("alive", lab.List()[1].Server.View);
        Assert.Equal("alive", lab.List()[1].Client.View);
        Assert.DoesNotContain(result.Log, line => line.Contains(" disconnected ") && line.Contains(lab.List()[1].ClientAddress + " "));
        result.ExpectSummary($"closed={sharers}");
        result.Expect(sharers == 1 ? 0 : result.Summary("failed"));
        Assert.Equal(sharers == 1 ? "reset" : "eof", lab.List()[0].Client.View);
    }
}
