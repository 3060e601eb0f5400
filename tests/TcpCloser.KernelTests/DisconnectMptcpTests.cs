using TcpCloser.KernelTests.Harness;
using Xunit;

namespace TcpCloser.KernelTests;

/// <summary>MPTCP connections end whole, by disconnect, and only if every subflow is meant and idle.</summary>
public sealed class DisconnectMptcpTests
{
    private const int IdleMs = 500;

    /// <summary>A second address over which the client opens a second subflow.</summary>
    private static LabSurroundings TwoWays(string flags) => new()
    {
        Preparation = $"""
            ip link set lo up
            ip addr add 10.9.0.1/32 dev lo
            ip addr add 10.9.0.2/32 dev lo
            ip mptcp limits set subflows 2 add_addr_accepted 2
            ip mptcp endpoint add 10.9.0.2 dev lo {flags}
            """,
    };

    [Theory]
    [InlineData("auto")]
    [InlineData("disconnect")]
    public void WithOneSubflowItIsDisconnected(string method)
    {
        using var lab = StartOrSkip(new LabSurroundings(), "--count", "2");

        var result = lab.Tool("--method", method, "-s", $"{LabProcess.Port}").Expect(0);

        Assert.Equal(2, result.Summary("closed"));
        Assert.Equal(2, result.Log.Count(line => line.Contains(" disconnected ", StringComparison.Ordinal)));
        AssertOwnerAndPeerKnow(lab, 2);
    }

    [Theory]
    [InlineData("auto")]
    [InlineData("disconnect")]
    public void WithTwoSubflowsBothEnd(string method)
    {
        using var lab = StartWithTwoSubflows("subflow");

        var result = lab.Tool("--method", method, "-s", $"{LabProcess.Port}").Expect(0);

        Assert.Equal(2, result.Summary("closed"));
        AssertOwnerAndPeerKnow(lab, 1);
        Until.True(() => Subflows(lab) == 0, "the end of both subflows");
    }

    [Theory]
    [InlineData("auto")]
    [InlineData("disconnect")]
    public void WhereOnlyOneSubflowIsMeantItIsLeftAlone(string method)
    {
        using var lab = StartWithTwoSubflows("subflow");

        var result = lab.Tool("-v", "--method", method, "-s", $"{LabProcess.Port}", "--dst", "10.9.0.2").Expect(0);

        Assert.Equal(1, result.Summary("matched"));
        Assert.Equal(0, result.Summary("closed"));
        Assert.Single(result.Log, line => line.Contains("left alone: another subflow", StringComparison.Ordinal));
        AssertLives(lab);
    }

    [Fact]
    public void WhereOneSubflowIsBusyItIsLeftAlone()
    {
        using var lab = StartWithTwoSubflows("subflow backup", "--busy", "1");
        Until.True(() => lab.ReceiveAges() is { Length: 2 } ages && ages.Max() > 2 * IdleMs, "an idle subflow beside a busy one");

        var result = lab.Tool("-v", "-s", $"{LabProcess.Port}", "-t", $"{IdleMs}").Expect(0);

        Assert.Equal(2, result.Summary("matched"));
        Assert.Equal(0, result.Summary("closed"));
        Assert.Single(result.Log, line => line.Contains("left alone: another subflow", StringComparison.Ordinal));
        Assert.Single(result.Log, line => line.Contains("left alone: not idle", StringComparison.Ordinal));
        AssertLives(lab);
    }

    [Fact]
    public void ByDestroyOnlyTheSubflowThatMatchedEnds()
    {
        using var lab = StartWithTwoSubflows("subflow");

        var result = lab.Tool("--method", "destroy", "-s", $"{LabProcess.Port}", "--dst", "10.9.0.2").Expect(0);

        Assert.Equal(1, result.Summary("closed"));
        Assert.Contains(" 10.9.0.2:", Assert.Single(result.Destroyed), StringComparison.Ordinal);
        AssertLives(lab);
    }

    private static LabProcess StartOrSkip(LabSurroundings surroundings, params string[] options)
    {
        Namespaces.Require();
        string state = "/proc/sys/net/mptcp/enabled";
        Assert.SkipUnless(File.Exists(state) && File.ReadAllText(state).Trim() == "1", "this kernel has no MPTCP");
        return LabProcess.Start(surroundings, ["--mptcp", "--client-process", .. options]);
    }

    private static LabProcess StartWithTwoSubflows(string flags, params string[] options)
    {
        var lab = StartOrSkip(TwoWays(flags), ["--address", "10.9.0.1", .. options]);
        try
        {
            // The second subflow comes with the first data.
            lab.Ask("send");
            Until.True(() => Subflows(lab) == 2, "two subflows");
            return lab;
        }
        catch
        {
            lab.Dispose();
            throw;
        }
    }

    private static int Subflows(LabProcess lab) => lab.Sockets().Count(socket => socket.LocalPort == LabProcess.Port && socket.State == "established");

    private static void AssertOwnerAndPeerKnow(LabProcess lab, int count)
    {
        lab.WaitEnded(count);
        Assert.All(lab.List(), connection => Assert.Equal("eof", connection.Server.View));
        Until.True(() => lab.State()["client", "reset"] == count, "what the peers see");
        Assert.Equal(0, lab.State()["processes", "dead"]);
    }

    private static void AssertLives(LabProcess lab)
    {
        Assert.Contains("server ok=1", lab.Ask("send"));
        Assert.Equal(1, lab.State()["server", "alive"]);
        Assert.Equal(1, lab.State()["client", "alive"]);
    }
}
