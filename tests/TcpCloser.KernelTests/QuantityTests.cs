using System.Globalization;

namespace TcpCloser.KernelTests;

/// <summary>How many connections are closed, and when: <c>--limit</c>, <c>--keep</c>, <c>--matched-for</c>.</summary>
public sealed partial class QuantityTests
{
    private const int NewPort = LabProcess.Port + 1;
    private static readonly LabEnvironment s_own = new() { OwnProcesses = true };
    private static readonly string s_ports = $"{LabProcess.Port}-{NewPort}";
    private static readonly string s_port = $"{LabProcess.Port}";

    [Theory]
    [InlineData("destroy", "aborted")]
    [InlineData("disconnect", "reset")]
    public void Limit_ConnectionsOfTwoAges_ClosesTheLongestIdleFirst(string method, string view)
    {
        using var old = LabProcess.Start("--count", "3");
        using var young = StartYounger(old, "--count", "3");
        string[] arguments = ["--method", method, "-s", s_ports, "--limit", "3"];

        var dry = old.Tool(["-n", .. arguments]).Expect(0);
        Assert.Equal(3, dry.Stdout.Split('\n').Count(line => line.EndsWith(" " + method, StringComparison.Ordinal)));
        Assert.Equal(3, dry.Stdout.Split('\n').Count(static line => line.EndsWith(" over limit", StringComparison.Ordinal)));

        old.Tool(arguments).Expect(0, "matched=6 idle=3 closed=3 over_limit=3");
        old.ExpectState($"server {view}=3");
        young.ExpectState("server alive=3");

        old.Tool(arguments).Expect(0, "over_limit=0");
        young.ExpectState($"server {view}=3");
    }

    [Theory]
    [InlineData("destroy")]
    [InlineData("kill")]
    public void Limit_Zero_ClosesNothing(string method)
    {
        using var lab = LabProcess.Start(s_own, "--count", "2", "--client-process");
        lab.Tool("--method", method, "-s", s_port, "--limit", "0").Expect(0, "closed=0 over_limit=2");
        lab.ExpectState("server alive=2");
    }

    [Fact]
    public void Limit_SeveralNamespaces_CountsThemTogether()
    {
        using var farm = NamespaceFarm.Start(3, "--count", "2");
        farm.Home.Tool("--all-netns", "-s", s_port, "--limit", "4").Expect(0, "closed=4 over_limit=2");
        Assert.Equal(4, farm.Labs.Sum(static lab => lab.State()["server", "aborted"]));
    }

    /// <summary>A process that is killed loses all its connections, not only those that match.</summary>
    [Theory]
    [InlineData(5, 0, 6)]
    [InlineData(6, 2, 0)]
    public void Limit_KillWouldEndOtherConnections_CountsThem(int limit, int closed, int alive)
    {
        using var lab = LabProcess.Start(s_own, "--count", "6", "--ports", "3", "--client-process");
        lab.Tool("--use-proc", "-s", s_port, "--limit", $"{limit}").Expect(0, $"closed={closed} over_limit={2 - closed}");
        lab.ExpectState($"server alive={alive}");
    }

    [Fact]
    public void Limit_KillOfSeveralProcesses_SignalsThoseThatFit()
    {
        using var lab = LabProcess.Start(s_own, "--count", "6", "--processes", "3", "--client-process");
        var result = lab.Tool("--use-proc", "-s", s_port, "--limit", "5").Expect(0, "closed=4 over_limit=2");
        Assert.Equal(2, result.Log.Count(static line => line.Contains(" to pid=")));
        lab.ExpectState("server alive=2");
    }

    /// <summary>All peers are asked; the limit counts those that are silent.</summary>
    [Fact]
    public void Limit_WithProbe_CountsTheSilent()
    {
        using var path = NetworkPath.Fast();
        (SocketRange living, _) = path.Connect(3, NetworkPath.Far4(2));
        SocketRange silent = path.ConnectSilent(3);
        path.Tool("-4", "-d", "7000", "--probe", "3s", "--limit", "2").Run().Expect(0, "closed=2 over_limit=1 answered=3");
        Assert.Equal(["3 alive"], living.Views);
        Assert.Equal(["1 alive", "2 ECONNABORTED"], silent.Views.Order());
    }

    [Fact]
    public void Limit_Service_ClosesTheRestInLaterRounds()
    {
        using var lab = LabProcess.Start("--count", "5");
        using var service = new ToolRun(lab) { Arguments = ["-s", s_port, "--limit", "2", "-i", "100ms", "--disable-syslog"] }.Start();
        lab.WaitEnded(5);
        Until.True(() => Summaries(service.Stderr).Length == 3, "three rounds");
        service.Signal("TERM");

        var result = service.WaitForEnd().Expect(0);
        Assert.Equal(["2 3", "2 1", "1 0"], Summaries(result.Stderr));
        result.ExpectSummary("closed=5 over_limit=4");
    }

    /// <summary>Busy connections are among those that stay.</summary>
    [Theory]
    [InlineData(1, 3)]
    [InlineData(2, 3)]
    [InlineData(3, 2)]
    [InlineData(5, 0)]
    public void Keep_BusyConnectionsMatch_AreAmongThoseThatStay(int count, int closed)
    {
        using var lab = LabProcess.Start("--count", "5", "--busy", "2");
        lab.WaitIdle(3, 500);
        string[] arguments = ["-s", s_port, "-t", "500", "--keep", $"{count}/port"];
        var dry = lab.Tool(["-n", .. arguments]).Expect(0);
        Assert.Equal(3 - closed, dry.Stdout.Split('\n').Count(static line => line.EndsWith(" kept", StringComparison.Ordinal)));
        lab.Tool(arguments).Expect(0, $"closed={closed}");
        lab.ExpectState($"server alive={5 - closed}");
    }

    [Fact]
    public void Keep_ConnectionsOfTwoAges_KeepsTheYounger()
    {
        using var old = LabProcess.Start("--count", "2");
        using var young = StartYounger(old, "--count", "2");
        old.Tool("-s", s_ports, "--keep", "2/uid").Expect(0, "closed=2");
        old.ExpectState("server aborted=2");
        young.ExpectState("server alive=2");
    }

    [Fact]
    public void Keep_ByProcess_KeepsSomeOfEach()
    {
        using var lab = LabProcess.Start(s_own, "--count", "6", "--processes", "3", "--client-process");
        lab.Tool("-s", s_port, "--keep", "1/process").Expect(0, "closed=3");
        lab.ExpectState("server alive=3");
        // What is left is all to be kept.
        lab.Tool("-s", s_port, "--keep", "1/process").Expect(0, "closed=0");
    }

    /// <summary>A signal to a process would also end the connection that it has to keep.</summary>
    [Fact]
    public void Keep_Kill_SparesTheProcessesOfThoseThatStay()
    {
        using var lab = LabProcess.Start(s_own, "--count", "6", "--processes", "3", "--client-process");
        lab.Tool("--use-proc", "-s", s_port, "--keep", "1/port").Expect(0, "closed=4");
        lab.ExpectState("server alive=2");
        lab.Tool("--use-proc", "-s", s_port, "--keep", "1/process").Expect(0);
        lab.ExpectState("server alive=2");
    }

    /// <summary>A connection that never rests is closed when the service has seen it for long enough.</summary>
    [Fact]
    public void MatchedFor_BusyConnection_IsClosedAfterTheTime()
    {
        using var lab = LabProcess.Start("--count", "2", "--busy", "2");
        using var service = StartMatchedFor(lab, "-s", s_port);
        lab.WaitEnded(2);
        service.Signal("TERM");
        AssertMatchedFor(service.WaitForEnd().Expect(0));
    }

    /// <summary>The time that a connection spends in a state is a selection by itself.</summary>
    [Fact]
    public void MatchedFor_State_IsTheTimeInThatState()
    {
        using var lab = LabProcess.Start("--count", "2");
        using var service = StartMatchedFor(lab, "--state", "close-wait");
        lab.Ask("close-clients");
        Until.True(() => Regex.Count(service.Stderr, " destroyed ") == 2, "both connections closed");
        service.Signal("TERM");
        AssertMatchedFor(service.WaitForEnd().Expect(0));
    }

    private static LabProcess StartYounger(LabProcess old, params string[] options)
    {
        old.WaitIdle(3 <= old.State()["server", "alive"] ? 3 : old.State()["server", "alive"], 100);
        return LabProcess.Start(new LabEnvironment { Enter = old.Inside() }, ["--port", $"{NewPort}", .. options]);
    }

    private static Command StartMatchedFor(LabProcess lab, params string[] selection)
        => new ToolRun(lab) { Arguments = [.. selection, "-v", "-i", "50ms", "--matched-for", "1s", "--disable-syslog"] }.Start();

    /// <summary>Checks that each connection was closed a second after it was first seen, and not before.</summary>
    private static void AssertMatchedFor(Result result)
    {
        Assert.Equal(2, result.Destroyed.Length);
        foreach (string line in result.Destroyed)
        {
            string ends = Ends().Match(line).Value;
            string first = result.Log.First(other => other.Contains($" skipped {ends} "));
            Assert.Contains(" reason=too_new", first, StringComparison.Ordinal);
            Assert.True(TimeOf(line) - TimeOf(first) >= TimeSpan.FromMilliseconds(950), $"{first}\n{line}");
        }
    }

    private static DateTime TimeOf(string line) => DateTime.Parse(line.Split(' ')[0], CultureInfo.InvariantCulture);

    /// <summary>For each round with a summary, how many were closed, and how many were over the limit.</summary>
    private static string[] Summaries(string log) => [.. Summary().Matches(log).Select(static match => $"{match.Groups[1]} {match.Groups[2]}")];

    [GeneratedRegex(@" summary .* closed=(\d+) .* over_limit=(\d+) ")]
    private static partial Regex Summary();

    [GeneratedRegex(@"\S+ -> \S+")]
    private static partial Regex Ends();
}
