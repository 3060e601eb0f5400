namespace TcpCloser.KernelTests;

/// <summary>Many connections: all are closed, and nothing else is.</summary>
public sealed class ScaleTests
{
    private static readonly LabEnvironment s_smallTable = new()
    {
        Preparation = """
            echo 16 > /proc/sys/net/ipv4/tcp_child_ehash_entries
            set -- unshare -n "$@"
            """,
    };

    [Theory]
    [Values("v4", "dual")]
    public void Run_TwentyThousandConnections_ClosesAllAndNoDecoy(string family)
    {
        const int Count = 20_000;
        using var lab = LabProcess.Start("--count", $"{Count}", "--family", family, "--decoys", "500", "--decoy-port", $"{LabProcess.DecoyPort}");

        var result = lab.Tool("-s", $"{LabProcess.Port}").Expect(0, $"matched={Count} closed={Count}");

        Assert.Equal(Count, result.Destroyed.Length);
        var state = lab.State();
        Assert.Equal(Count, state["server", "aborted"]);
        Assert.Equal(Count, state["client", "reset"]);
        Assert.Equal(1000, state["decoy", "alive"]);
        Assert.Equal(1, state["listener", "alive"]);
        Assert.DoesNotContain(lab.Sockets(), socket => socket.LocalPort == LabProcess.Port && socket.State == "established");
    }

    [Fact]
    public void SmallHashTable_SixThousandConnections_ClosesAll()
    {
        // In a table of 16 buckets a dump that is disturbed by its own destroys skips a third of the sockets.
        const int Count = 6000;
        using var lab = LabProcess.Start(s_smallTable, "--count", $"{Count}", "--decoys", "50");
        Assert.Equal("16", Command.Run([.. lab.Inside(), "cat", "/proc/sys/net/ipv4/tcp_ehash_entries"]).Stdout.Trim().TrimStart('-'));
        lab.Tool("-s", $"{LabProcess.Port}").Expect(0, $"closed={Count}");
        lab.ExpectState($"server aborted={Count}, decoy alive=100");
    }

    /// <summary>
    /// The kernel continues in a bucket after as many connections as it has listed there, and new ones are inserted in front: of
    /// 4,000 up to four were listed twice in every other dump.
    /// </summary>
    [Fact]
    public void SmallHashTable_ConnectionsComeAndGo_EachIsListedOnce()
    {
        const int Count = 4000;
        using var lab = LabProcess.Start(s_smallTable, "--count", $"{Count}");
        using var churn = Command.Start(
        [
            .. lab.Inside(), Binaries.Lab, "churn", "--port", "7000", "--ports", "4", "--kept-port", "7010", "--tuples", "50", "--idle", "3600000",
        ]);
        for (int i = 0; i < 30; i++)
        {
            var result = lab.Tool("-n", "--json", "-s", $"{LabProcess.Port}").Expect(0);
            string[] listed = [.. ConnectionRecord.Read(result).Select(static record => record.Ends)];
            Assert.Equal(listed.Distinct(), listed);
            result.ExpectSummary($"matched={listed.Length}");
            Assert.InRange(listed.Length, Count / 2, Count);
        }

        Assert.False(churn.HasExited, churn.Stderr);
    }

    [Fact]
    public void Ports_ScatteredListAndFullRange_AreFound()
    {
        using var lab = LabProcess.Start("--count", "300", "--ports", "100", "--port-step", "7", "--decoys", "20", "--decoy-port", "5001");
        string scattered = string.Join(',', Enumerable.Range(0, 100).Select(i => LabProcess.Port + (7 * i)));
        lab.Tool("-s", scattered).Expect(0, "closed=300");
        lab.ExpectState("decoy alive=40");
        lab.Tool("-s", "1-65535").Expect(0);
        lab.ExpectState("decoy alive=0");
    }

    [Theory]
    [Values("-s", "-d")]
    public void Ports_FourThousandInOneList_NeedOneFilter(string option)
    {
        using var lab = LabProcess.Start("--count", "300", "--ports", "10", "--port-step", "500", "--decoys", "20", "--decoy-port", "5001");
        string[] even = [.. Enumerable.Range(2_000, 4_000).Select(i => $"{2 * i}")];
        Result result = lab.Tool(option, string.Join(',', even), "-v").Expect(0, "matched=300 closed=300");
        Assert.Equal(300, lab.State()[option == "-s" ? "server" : "client", "aborted"]);
        lab.ExpectState("decoy alive=40");
        Assert.Single(result.Log, static line => line.Contains("debug filter of "));
    }

    [Fact]
    public void Ports_MoreThanTheKernelsFilterTakes_AreFound()
    {
        using var lab = LabProcess.Start("--count", "30", "--ports", "10", "--port-step", "2000", "--decoys", "20", "--decoy-port", "5001");
        string[] even = [.. Enumerable.Range(1, 16_000).Select(i => $"{2 * i}")]; // below the clients' ephemeral ports
        lab.Tool(["-s", string.Join(',', even[..8000]), "-s", string.Join(',', even[8000..])]).Expect(0, "closed=30");
        lab.ExpectState("server aborted=30, decoy alive=40");
    }
}
