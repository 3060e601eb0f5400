using System.Globalization;
using System.Text.RegularExpressions;

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

        var result = old.Tool(arguments).Expect(0);
        Assert.Equal((6, 3, 3, 3), (result.Summary("matched"), result.Summary("idle"), result.Summary("closed"), result.Summary("over_limit")));
        Assert.Equal(3, old.State()["server", view]);
        Assert.Equal(3, young.State()["server", "alive"]);

        Assert.Equal(0, old.Tool(arguments).Expect(0).Summary("over_limit"));
        Assert.Equal(3, young.State()["server", view]);
    }

    [Theory]
    [InlineData("destroy")]
    [InlineData("kill")]
    public void Limit_Zero_ClosesNothing(string method)
    {
        using var lab = LabProcess.Start(s_own, "--count", "2", "--client-process");

        var result = lab.Tool("--method", method, "-s", s_port, "--limit", "0").Expect(0);

        Assert.Equal((0, 2), (result.Summary("closed"), result.Summary("over_limit")));
        Assert.Equal(2, lab.State()["server", "alive"]);
    }

    [Fact]
    public void Limit_SeveralNamespaces_CountsThemTogether()
    {
        using var farm = NamespaceFarm.Start(3, "--count", "2");

        var result = farm.Home.Tool("--all-netns", "-s", s_port, "--limit", "4").Expect(0);

        Assert.Equal((4, 2), (result.Summary("closed"), result.Summary("over_limit")));
        Assert.Equal(4, farm.Labs.Sum(static lab => lab.State()["server", "aborted"]));
    }

    /// <summary>A process that is killed loses all its connections, not only those that match.</summary>
    [Theory]
    [InlineData(5, 0, 6)]
    [InlineData(6, 2, 0)]
    public void Limit_KillWouldEndOtherConnections_CountsThem(int limit, int closed, int alive)
    {
        using var lab = LabProcess.Start(s_own, "--count", "6", "--ports", "3", "--client-process");

        var result = lab.Tool("--use-proc", "-s", s_port, "--limit", $"{limit}").Expect(0);

        Assert.Equal((closed, 2 - closed), (result.Summary("closed"), result.Summary("over_limit")));
        Assert.Equal(alive, lab.State()["server", "alive"]);
    }

    [Fact]
    public void Limit_KillOfSeveralProcesses_SignalsThoseThatFit()
    {
        using var lab = LabProcess.Start(s_own, "--count", "6", "--processes", "3", "--client-process");

        var result = lab.Tool("--use-proc", "-s", s_port, "--limit", "5").Expect(0);

        Assert.Equal((4, 2), (result.Summary("closed"), result.Summary("over_limit")));
        Assert.Equal(2, result.Log.Count(static line => line.Contains(" to pid=", StringComparison.Ordinal)));
        Assert.Equal(2, lab.State()["server", "alive"]);
    }

    /// <summary>All peers are asked; the limit counts those that are silent.</summary>
    [Fact]
    public void Limit_WithProbe_CountsTheSilent()
    {
        using var path = NetworkPath.Fast();
        (SocketRange living, _) = path.Connect(3, NetworkPath.Far4(2));
        (SocketRange silent, _) = path.Connect(3, NetworkPath.Far4(3));
        silent.WaitQuiet(1_100);
        path.Vanish(3);

        Result result = path.Tool("-4", "-d", "7000", "--probe", "3s", "--limit", "2").Run().Expect(0);

        Assert.Equal((2, 1, 3), (result.Summary("closed"), result.Summary("over_limit"), result.Summary("answered")));
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
        Assert.Equal((5, 4), (result.Summary("closed"), result.Summary("over_limit")));
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

        Assert.Equal(closed, lab.Tool(arguments).Expect(0).Summary("closed"));
        Assert.Equal(5 - closed, lab.State()["server", "alive"]);
    }

    [Fact]
    public void Keep_ConnectionsOfTwoAges_KeepsTheYounger()
    {
        using var old = LabProcess.Start("--count", "2");
        using var young = StartYounger(old, "--count", "2");

        Assert.Equal(2, old.Tool("-s", s_ports, "--keep", "2/uid").Expect(0).Summary("closed"));

        Assert.Equal(2, old.State()["server", "aborted"]);
        Assert.Equal(2, young.State()["server", "alive"]);
    }

    [Fact]
    public void Keep_ByProcess_KeepsSomeOfEach()
    {
        using var lab = LabProcess.Start(s_own, "--count", "6", "--processes", "3", "--client-process");

        Assert.Equal(3, lab.Tool("-s", s_port, "--keep", "1/process").Expect(0).Summary("closed"));

        Assert.Equal(3, lab.State()["server", "alive"]);
        // What is left is all to be kept.
        Assert.Equal(0, lab.Tool("-s", s_port, "--keep", "1/process").Expect(0).Summary("closed"));
    }

    /// <summary>A signal to a process would also end the connection that it has to keep.</summary>
    [Fact]
    public void Keep_Kill_SparesTheProcessesOfThoseThatStay()
    {
        using var lab = LabProcess.Start(s_own, "--count", "6", "--processes", "3", "--client-process");

        var result = lab.Tool("--use-proc", "-s", s_port, "--keep", "1/port").Expect(0);

        Assert.Equal(4, result.Summary("closed"));
        Assert.Equal(2, lab.State()["server", "alive"]);
        lab.Tool("--use-proc", "-s", s_port, "--keep", "1/process").Expect(0);
        Assert.Equal(2, lab.State()["server", "alive"]);
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
            string first = result.Log.First(other => other.Contains($" skipped {ends} ", StringComparison.Ordinal));
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
