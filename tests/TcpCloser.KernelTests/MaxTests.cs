namespace TcpCloser.KernelTests;

/// <summary><c>--max</c>: if more would be closed, nothing is.</summary>
public sealed class MaxTests
{
    private const int Count = 6;

    /// <summary>A process that is killed loses all its connections, not only those that match.</summary>
    [Theory]
    [InlineData(Count - 1, 4, Count)]
    [InlineData(Count, 0, 0)]
    public void Max_KillWouldEndOtherConnections_CountsThem(int max, int exit, int alive)
    {
        // All connections belong to one process; a third of them match.
        using var lab = LabProcess.StartIsolated("--count", $"{Count}", "--ports", "3", "--client-process");
        string[] arguments = ["--use-proc", "-s", $"{LabProcess.Port}", "--max", $"{max}"];
        lab.Tool(["-n", .. arguments]).Expect(exit);
        var result = lab.Tool(arguments).Expect(exit);
        lab.ExpectState($"server alive={alive}, client alive={alive}");
        Assert.Equal(exit == 4 ? 1 : 0, result.Log.Count(line => line.Contains(" error refused: 2 connections and 4 others ")));
    }

    [Fact]
    public void Max_Zero_RefusesAnyConnection()
    {
        using var lab = LabProcess.Start("--count", "1");
        lab.Tool("-s", $"{LabProcess.Port}", "--max", "0").Expect(4);
        lab.Tool("-s", "7", "--max", "0").Expect(0);
        lab.ExpectState("server alive=1");
    }

    [Fact]
    public void Max_SeveralNamespaces_CountsThemTogether()
    {
        using var farm = NamespaceFarm.Start(3, "--count", "2");
        farm.Home.Tool("--all-netns", "-s", $"{LabProcess.Port}", "--max", "5").Expect(4);
        Assert.All(farm.Labs, lab => Assert.Equal(2, lab.State()["server", "alive"]));
        farm.Home.Tool("--all-netns", "-s", $"{LabProcess.Port}", "--max", "6").Expect(0);
        Assert.All(farm.Labs, lab => Assert.Equal(2, lab.State()["server", "aborted"]));
    }

    [Fact]
    public void Max_ExceededInAService_RefusesTheRoundAndContinues()
    {
        using var lab = LabProcess.Start("--count", "3", "--ports", "3");

        using var service = new ToolRun(lab).Start("-s", $"{LabProcess.Port}-{LabProcess.Port + 2}", "--max", "2", "-i", "20ms");
        Until.True(() => service.Stderr.Contains("refused: 3 "), "a refused round");
        Until.True(() =>
        {
            service.Signal("USR1");
            return Regex.IsMatch(service.Stderr, @" totals rounds=\d{2,} ");
        }, "ten rounds");
        Assert.Single(Regex.Matches(service.Stderr, "refused: 3 ")); // repetitions are counted, not logged
        lab.ExpectState("server alive=3");
        lab.Tool("-s", $"{LabProcess.Port}").Expect(0); // one connection fewer matches
        lab.WaitEnded(3);
        service.Signal("TERM");

        service.WaitForEnd().Expect(0, "closed=2");
    }
}
