using System.Text;
using TcpCloser.KernelTests.Harness;
using Xunit;

namespace TcpCloser.KernelTests;

/// <summary>The build without SOCK_DESTROY: it kills without being asked to, says so, and cannot do the other thing.</summary>
public sealed class NoSockDestroyTests
{
    private static readonly LabSurroundings s_own = new() { OwnProcesses = true };

    [Theory]
    [InlineData("")]
    [InlineData("--use_proc")]
    public void ItKillsTheOwners(string option)
    {
        using var lab = LabProcess.Start(s_own, "--count", "6", "--processes", "3", "--client-process", "--decoys", "3");
        using TemporaryFolder folder = new();
        Strace strace = new(folder.File("trace"));

        var result = Run(lab, strace.Wrapper, [.. option.Split(' ', StringSplitOptions.RemoveEmptyEntries), "-s", $"{LabProcess.Port}"])
            .Expect(0);

        Assert.Contains("by kill", result.Log[0], StringComparison.Ordinal);
        Assert.Contains("SOCK_DESTROY", result.Log[0], StringComparison.Ordinal);
        Assert.Equal(6, result.Summary("closed"));
        Assert.Equal(3, lab.State()["processes", "dead"]);
        Assert.Equal(6, lab.State()["client", "eof"]);
        Assert.Equal(6, lab.State()["decoy", "alive"]);
        Assert.False(strace.SawDestroy);
    }

    [Fact]
    public void ItsHelpSaysSo()
    {
        using var lab = LabProcess.Start("--count", "0");

        var help = Run(lab, [], ["--help"]).Expect(0);

        Assert.Contains("no SOCK_DESTROY", help.Stdout, StringComparison.Ordinal);
        Assert.NotEqual(help.Stdout, lab.Tool("--help").Expect(0).Stdout);
    }

    [Fact]
    public void ItsTextsDoNotOfferTheOtherMethod()
        => Assert.Equal(-1, File.ReadAllBytes(Binaries.ToolWithoutSockDestroy).AsSpan().IndexOf(Encoding.Unicode.GetBytes("the kernel aborts the connection")));

    private static Result Run(LabProcess lab, string[] wrapper, string[] arguments)
        => new ToolRun(lab) { Binary = Binaries.ToolWithoutSockDestroy, Wrapper = wrapper, Arguments = [.. arguments, "--disable-syslog"] }.Run();
}
