namespace TcpCloser.KernelTests;

/// <summary>A service that searches several network namespaces, over several rounds.</summary>
public sealed class NamespaceServiceTests
{
    private const int InOwn = 3;
    private const int InOthers = 2;
    private const int Rounds = 4;

    /// <summary>setns(2) moves the thread: without a way back, /proc/self is the namespace entered last from the second round on.</summary>
    [Theory]
    [Rows("self | --all-netns", "/proc/self/ns/net | --netns ns0 --netns /proc/self/ns/net --netns ns1")]
    public void Service_SeveralNamespaces_RecordsKeepTheirNamesInEveryRound(string own, params string[] selection)
    {
        using var farm = NamespaceFarm.Start(2, "--count", $"{InOthers}");
        using var home = LabProcess.Start(new LabEnvironment { Enter = farm.Home.Inside(), OwnProcesses = true }, "--count", $"{InOwn}");
        using var service = new ToolRun(farm.Home).Start(["-n", "--json", "-i", "30ms", "-s", LabProcess.PortText, .. selection]);
        Until.True(() => Records(service.Stdout) >= Rounds * (InOwn + InOthers + InOthers), $"{Rounds} rounds");
        Strace.Signal(service, "TERM"); // the tool is the child of nsenter

        var result = service.WaitForEnd().Expect(0);

        Dictionary<string, int> counts = ConnectionRecord.Read(result).CountBy(static record => record.Netns!).ToDictionary();
        Assert.Equal([own, "ns0", "ns1"], counts.Keys.OrderBy(name => name == own ? "" : name, StringComparer.Ordinal));
        Assert.InRange(counts[own], Rounds * InOwn, int.MaxValue);
        int rounds = counts[own] / InOwn;
        Assert.Equal((rounds * InOwn, rounds * InOthers, rounds * InOthers), (counts[own], counts["ns0"], counts["ns1"]));
        Assert.DoesNotContain(result.Log, static line => line.Contains("network namespace"));
    }

    /// <summary>Its devices disappear with it, so the other end of a veth pair shows when it is gone.</summary>
    [Theory]
    [Rows("--all-netns", "--netns leaves")]
    public void Service_NamespaceIsDeletedBetweenRounds_IsNotKeptAlive(params string[] selection)
    {
        using var farm = NamespaceFarm.Start(0);
        const string Add = "ip netns add leaves; ip link add near type veth peer name far netns leaves";
        Command.Run([.. farm.Home.Inside(), "sh", "-ec", Add]).Expect(0);
        using var service = new ToolRun(farm.Home).Start(["-v", "-i", "1h", "-s", LabProcess.PortText, .. selection]);
        Until.True(() => service.Stderr.Contains(" summary "), "the first round");

        Command.Run([.. farm.Home.Inside(), "ip", "netns", "del", "leaves"]).Expect(0);

        Until.True(() => Command.Run([.. farm.Home.Inside(), "ip", "link", "show", "near"]).ExitCode != 0, "the end of the namespace");
        Strace.Signal(service, "TERM");
        service.WaitForEnd().Expect(0);
    }

    /// <summary>
    /// Run as for rootless containers (podman unshare, nsenter -U): the user namespace owns the containers' network namespaces,
    /// but not the program's own, so that a thread could enter them and not return.
    /// </summary>
    [Fact]
    public void AllNetns_ThreadCouldNotReturnToItsOwn_AllAreSearchedInEveryRound()
    {
        Users.Require();
        using var farm = NamespaceFarm.Start(0);
        using var home = LabProcess.Start(new LabEnvironment { Enter = farm.Home.Inside(), OwnProcesses = true }, "--count", $"{InOwn}");
        using var container = StartContainer(farm.Home);
        string name = $"pid:{NamespaceFarm.InnerId(container)}";
        ToolRun run = new(home)
        {
            Wrapper = [.. Users.As(Users.Somebody), "nsenter", "-t", name[4..], "-U", "--preserve-credentials", "--"],
            Arguments = ["--all-netns", "--json", "-s", LabProcess.PortText, "--disable-syslog"],
        };

        using var service = (run with { Arguments = [.. run.Arguments, "-n", "-i", "30ms"] }).Start();
        Until.True(() => Records(service.Stdout) >= Rounds * (InOwn + InOthers), $"{Rounds} rounds");
        Strace.Signal(service, "TERM");
        Dictionary<string, int> counts = ConnectionRecord.Read(service.WaitForEnd().Expect(0)).CountBy(static record => record.Netns!).ToDictionary();
        var result = (run with { Arguments = ["--netns", name, .. run.Arguments[1..]] }).Run().Expect(0);

        Assert.Equal(new[] { name, "self" }.Order(StringComparer.Ordinal), counts.Keys.Order(StringComparer.Ordinal));
        Assert.Equal(counts["self"] / InOwn, counts[name] / InOthers);
        result.ExpectSummary($"closed={InOthers}");
        container.ExpectState($"server aborted={InOthers}");
        home.ExpectState($"server alive={InOwn}");
    }

    /// <summary>One error for all processes of the machine, with the command that reaches a user's own containers.</summary>
    [Fact]
    public void AllNetns_NoPrivilege_IsOneErrorWithTheRemedyForRootlessContainers()
    {
        Users.Require();
        using var farm = NamespaceFarm.Start(0);
        using var home = LabProcess.Start(new LabEnvironment { Enter = farm.Home.Inside(), OwnProcesses = true }, "--count", $"{InOwn}");
        using var container = StartContainer(farm.Home);
        using var one = Command.Start([.. home.Inside(), "sleep", "1000"]);
        using var two = Command.Start([.. home.Inside(), "sleep", "1000"]);

        var result = new ToolRun(home) { Wrapper = Users.As(Users.Somebody) }.Run("-n", "--all-netns", "-s", LabProcess.PortText).Expect(1);

        string[] errors = [.. result.Log.Where(static line => line.Contains(" error "))];
        Assert.Equal(2, errors.Length);
        Assert.Matches(@"opening the network namespace of process 1 and \d+ others: EACCES .*podman unshare.*nsenter -t PID -U", errors[0]);
        Assert.Matches(@"entering the network namespace in netns pid:\d+: EPERM .*podman unshare.*nsenter -t PID -U", errors[1]);
        result.ExpectSummary($"matched={InOwn}");
    }

    /// <summary>Starts a user's container: a user namespace that owns its network namespace.</summary>
    private static LabProcess StartContainer(LabProcess home) => LabProcess.Start(
        new LabEnvironment
        {
            Enter = home.Inside(),
            OwnProcesses = true,
            Preparation = $"set -- {string.Join(' ', Users.As(Users.Somebody))} unshare -U -r -n \"$@\"",
        },
        "--count", $"{InOthers}");

    private static int Records(string stdout) => stdout.Split("\"type\":\"connection\"").Length - 1;
}
