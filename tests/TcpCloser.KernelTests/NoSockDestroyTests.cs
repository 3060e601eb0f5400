namespace TcpCloser.KernelTests;

/// <summary>The build without SOCK_DESTROY: it kills by default, reports so, and cannot destroy.</summary>
public sealed class NoSockDestroyTests
{
    [Theory]
    [Values("", "--use_proc")]
    public void BuildWithoutSockDestroy_Run_KillsTheOwners(string option)
    {
        using var lab = LabProcess.StartIsolated("--count", "6", "--processes", "3", "--client-process", "--decoys", "3");
        using Strace strace = new();
        var result = Run(lab, strace.Wrapper, [.. option.Split(' ', StringSplitOptions.RemoveEmptyEntries), "-s", $"{LabProcess.Port}"])
            .Expect(0);

        Assert.Contains("by kill", result.Log[0], StringComparison.Ordinal);
        Assert.Contains("SOCK_DESTROY", result.Log[0], StringComparison.Ordinal);
        result.ExpectSummary("closed=6");
        lab.ExpectState("processes dead=3, decoy alive=6");
        lab.AwaitState("client eof=6");
        Assert.False(strace.SawDestroy);
    }

    [Fact]
    public void BuildWithoutSockDestroy_Help_NamesWhatIsMissing()
    {
        using var lab = LabProcess.Start("--count", "0");
        var help = Run(lab, [], ["--help"]).Expect(0);
        Assert.Contains("no SOCK_DESTROY", help.Stdout, StringComparison.Ordinal);
        Assert.NotEqual(help.Stdout, lab.Tool("--help").Expect(0).Stdout);
    }

    [Fact]
    public void BuildWithoutSockDestroy_Binary_HasNoTextAboutDestroy()
        => Assert.Equal(-1, File.ReadAllBytes(Binaries.ToolWithoutSockDestroy).AsSpan().IndexOf(Encoding.Unicode.GetBytes("the kernel aborts the connection")));

    private static Result Run(LabProcess lab, string[] wrapper, string[] arguments)
        => new ToolRun(lab) { Binary = Binaries.ToolWithoutSockDestroy, Wrapper = wrapper }.Run(arguments);
}
