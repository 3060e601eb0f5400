using TcpCloser.KernelTests.Harness;
using Xunit;

namespace TcpCloser.KernelTests;

/// <summary>A listener on the same port is never touched unless it is named, whatever happens to its connections meanwhile.</summary>
public sealed class ListenerTests
{
    [SkippableTheory]
    [InlineData("established")]
    [InlineData("all")]
    [InlineData("connected")]
    [InlineData("synchronized")]
    public void NoGroupOfStatesContainsTheListener(string states)
    {
        using var lab = LabProcess.Start("--count", "2");

        lab.Tool("-s", $"{LabProcess.Port}", "--state", states).Expect(0);

        Assert.Equal(2, lab.State()["server", "aborted"]);
        Assert.Equal(1, lab.State()["listener", "alive"]);
    }

    [SkippableTheory]
    [InlineData("v4")]
    [InlineData("v6")]
    [InlineData("dual")]
    public void AListenerSurvivesWhenItsConnectionIsGoneBeforeTheDestroy(string family)
    {
        using var lab = LabProcess.Start("--count", "3", "--family", family);
        using TemporaryFolder folder = new();
        string trace = folder.File("trace");
        // The second message to the kernel is the destroy (the first asks for the dump; IPv4 takes two dumps, for dual-stack sockets).
        int destroy = family == "v6" ? 2 : 3;
        ToolRun run = new(lab)
        {
            Wrapper = ["strace", "-f", "-o", trace, "-e", "trace=sendto,sendmsg", "-e", $"inject=sendto,sendmsg:delay_enter=2s:when={destroy}"],
            Arguments = [family == "v6" ? "-6" : "-4", "-s", $"{LabProcess.Port}", "--disable-syslog"],
        };
        using var tool = run.Start();
        Until.True(() => Sends(trace) == destroy, "the destroy, held back");

        lab.Ask("close-clients"); // the client's FIN first, so that no TIME_WAIT of the server's end remains
        Until.True(() => lab.List().TrueForAll(connection => connection.Server.Tcp == "close-wait"), "the clients' FINs");
        lab.Ask("close-servers");
        Until.True(() => lab.Sockets().Count(socket => socket.LocalPort == LabProcess.Port) == 1, "only the listener");
        var result = tool.WaitForEnd().Expect(0);

        Assert.Equal(1, lab.State()["listener", "alive"]);
        Assert.Contains("SOCK_DESTROY", File.ReadAllText(trace), StringComparison.Ordinal);
        Assert.Equal(3, result.Summary("matched"));
        Assert.Equal(3, result.Summary("vanished"));
        Assert.Equal(0, result.Summary("closed"));
        Assert.Equal(0, result.Summary("failed"));
        Assert.Empty(result.Destroyed);
    }

    private static int Sends(string trace)
        => File.Exists(trace) ? File.ReadLines(trace).Count(line => line.Contains("sendto(", StringComparison.Ordinal) || line.Contains("sendmsg(", StringComparison.Ordinal)) : 0;
}
