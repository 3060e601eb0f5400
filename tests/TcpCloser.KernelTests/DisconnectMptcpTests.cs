namespace TcpCloser.KernelTests;

/// <summary>
/// MPTCP connections are closed whole, by disconnect or kill, and only if every subflow matches and is idle. Destroy cannot close
/// one.
/// </summary>
public sealed class DisconnectMptcpTests
{
    private static readonly LabEnvironment s_ownProcesses = new() { OwnProcesses = true };

    /// <summary>Adds a second address, over which the client opens a second subflow.</summary>
    private static LabEnvironment TwoWays(string flags) => new()
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
    [Values("auto", "disconnect", "destroy")]
    public void Run_OneSubflowOfTwoMatches_IsSkipped(string method)
    {
        using var lab = StartWithTwoSubflows("subflow");

        var result = lab.Tool("-v", "--method", method, "-s", $"{LabProcess.Port}", "--dst", "10.9.0.2").Expect(0, "matched=1 closed=0");

        Assert.Single(result.Log, line => line.Contains(" reason=subflow_busy"));
        AssertAlive(lab);
    }

    /// <summary>
    /// An MPTCP connection that does not match is lost with its process, and counts once, no matter how many subflows it
    /// has.
    /// </summary>
    [Fact]
    public void Kill_ProcessWithAnotherMptcpConnection_CountsItOnceForMax()
    {
        using var lab = StartWithTwoSubflows(s_ownProcesses, "subflow", "--count", "2", "--ports", "2");
        string[] arguments = ["--use-proc", "-s", $"{LabProcess.Port}"];
        Assert.Matches(@"\(1 other connection[;)]", lab.Tool(["-n", .. arguments]).Expect(0).Stdout);
        lab.Tool([.. arguments, "--max", "2"]).Expect(4); // two subflows match
        lab.ExpectState("processes dead=0");
        lab.Tool([.. arguments, "--max", "3"]).Expect(0);
    }

    private static LabProcess StartOrSkip(LabEnvironment environment, params string[] options)
    {
        Namespaces.Require();
        string state = "/proc/sys/net/mptcp/enabled";
        Assert.SkipUnless(File.Exists(state) && File.ReadAllText(state).Trim() == "1", "this kernel has no MPTCP");
        return LabProcess.Start(environment, ["--mptcp", "--client-process", .. options]);
    }

    private static LabProcess StartWithTwoSubflows(string flags, params string[] options) =>
        StartWithTwoSubflows(new LabEnvironment(), flags, options);

    private static LabProcess StartWithTwoSubflows(LabEnvironment environment, string flags, params string[] options)
    {
        var lab = StartOrSkip(environment with { Preparation = TwoWays(flags).Preparation }, ["--address", "10.9.0.1", .. options]);
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

    private static void AssertAlive(LabProcess lab)
    {
        Assert.Contains("server ok=1", lab.Ask("send"));
        lab.ExpectState("server alive=1, client alive=1");
    }
}
