using TcpCloser.KernelTests.Harness;
using Xunit;

namespace TcpCloser.KernelTests;

/// <summary>Many connections: none survives, and nothing else dies.</summary>
public sealed class ScaleTests
{
    [Theory]
    [InlineData("v4")]
    [InlineData("dual")]
    public void OfTwentyThousandNoneSurvivesAndNoDecoyDies(string family)
    {
        const int Count = 20_000;
        using var lab = LabProcess.Start("--count", $"{Count}", "--family", family, "--decoys", "500", "--decoy-port", $"{LabProcess.DecoyPort}");

        var result = lab.Tool("-s", $"{LabProcess.Port}").Expect(0);

        Assert.Equal(Count, result.Summary("matched"));
        Assert.Equal(Count, result.Summary("closed"));
        Assert.Equal(Count, result.Destroyed.Length);
        var state = lab.State();
        Assert.Equal(Count, state["server", "aborted"]);
        Assert.Equal(Count, state["client", "reset"]);
        Assert.Equal(1000, state["decoy", "alive"]);
        Assert.Equal(1, state["listener", "alive"]);
        Assert.DoesNotContain(lab.Sockets(), socket => socket.LocalPort == LabProcess.Port && socket.State == "established");
    }

    [Fact]
    public void WithASmallHashTableNoneSurvivesEither()
    {
        // In a table of 16 buckets a walk that is disturbed by what it destroys skips a third of the sockets.
        const int Count = 6000;
        LabSurroundings smallTable = new()
        {
            Preparation = """
                echo 16 > /proc/sys/net/ipv4/tcp_child_ehash_entries
                set -- unshare -n "$@"
                """,
        };
        using var lab = LabProcess.Start(smallTable, "--count", $"{Count}", "--decoys", "50");
        Assert.Equal("16", Command.Run([.. lab.Inside(), "cat", "/proc/sys/net/ipv4/tcp_ehash_entries"]).Stdout.Trim().TrimStart('-'));

        var result = lab.Tool("-s", $"{LabProcess.Port}").Expect(0);

        Assert.Equal(Count, result.Summary("closed"));
        Assert.Equal(Count, lab.State()["server", "aborted"]);
        Assert.Equal(100, lab.State()["decoy", "alive"]);
    }

    [Fact]
    public void AllPortsAndScatteredPortsAreFound()
    {
        using var lab = LabProcess.Start("--count", "300", "--ports", "100", "--port-step", "7", "--decoys", "20", "--decoy-port", "5001");
        string scattered = string.Join(',', Enumerable.Range(0, 100).Select(i => LabProcess.Port + (7 * i)));

        var result = lab.Tool("-s", scattered).Expect(0);

        Assert.Equal(300, result.Summary("closed"));
        Assert.Equal(40, lab.State()["decoy", "alive"]);
        lab.Tool("-s", "1-65535").Expect(0);
        Assert.Equal(0, lab.State()["decoy", "alive"]);
    }

    [Theory]
    [InlineData("-s")]
    [InlineData("-d")]
    public void ALongListOfPortsIsFoundInOneDump(string option)
    {
        using var lab = LabProcess.Start("--count", "300", "--ports", "10", "--port-step", "500", "--decoys", "20", "--decoy-port", "5001");
        string[] even = [.. Enumerable.Range(2_000, 4_000).Select(i => $"{2 * i}")];

        Result result = lab.Tool(option, string.Join(',', even), "-v").Expect(0);

        Assert.Equal(300, result.Summary("matched"));
        Assert.Equal(300, result.Summary("closed"));
        Assert.Equal(300, lab.State()[option == "-s" ? "server" : "client", "aborted"]);
        Assert.Equal(40, lab.State()["decoy", "alive"]);
        Assert.Single(result.Log, static line => line.Contains("debug filter of ", StringComparison.Ordinal));
    }

    [Fact]
    public void MoreScatteredPortsThanTheKernelsFilterTakesAreFoundTheSame()
    {
        using var lab = LabProcess.Start("--count", "30", "--ports", "10", "--port-step", "2000", "--decoys", "20", "--decoy-port", "5001");
        string[] even = [.. Enumerable.Range(1, 16_000).Select(i => $"{2 * i}")]; // below the clients' ephemeral ports

        var result = lab.Tool(["-s", string.Join(',', even[..8000]), "-s", string.Join(',', even[8000..])]).Expect(0);

        Assert.Equal(30, result.Summary("closed"));
        Assert.Equal(30, lab.State()["server", "aborted"]);
        Assert.Equal(40, lab.State()["decoy", "alive"]);
    }
}
