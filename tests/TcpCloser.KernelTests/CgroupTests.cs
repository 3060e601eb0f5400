using System.Globalization;

namespace TcpCloser.KernelTests;

/// <summary>Units, containers and pods, by the cgroup that the kernel reports for each socket.</summary>
public sealed partial class CgroupTests
{
    private const string Id = "3f2a9c1b7d4e5f60718293a4b5c6d7e8f90a1b2c3d4e5f60718293a4b5c6d7e8";
    private const string Uid = "8f1c2d3e-4a5b-6c7d-8e9f-0a1b2c3d4e5f";
    private const string Ports = "5000-5300";

    [Fact]
    public void Cgroup_Unit_SelectsItAndAllBelow()
    {
        using var scene = new Scene("x.service", "x.service/worker", "y.service");
        var result = scene.First.Tool("--cgroup", "x.service", "-s", Ports).Expect(0);
        Assert.Equal(3, result.Summary("closed")); // one, and two below
        Assert.Equal(3, result.Destroyed.Count(line => line.Contains(" unit=x.service")));
        Assert.Equal([1, 2, 0], scene.Aborted());
    }

    [Theory]
    [InlineData("x.service")]
    [InlineData("/")]
    public void NotCgroup_UnitOrPath_ExcludesItAndAllBelow(string spelling)
    {
        using var scene = new Scene("x.service", "x.service/worker", "y.service");
        scene.First.Tool("--not-cgroup", spelling == "/" ? scene.Path("x.service") : spelling, "-s", Ports).Expect(0, "closed=3");
        Assert.Equal([0, 0, 3], scene.Aborted());
    }

    /// <summary>A path as /proc/PID/cgroup prints it, and with both options: what is below the one but not below the other.</summary>
    [Fact]
    public void CgroupAndNotCgroup_PathOfProcAndPartOfIt_CloseTheRest()
    {
        using var scene = new Scene("x.service", "x.service/worker", "y.service");
        string path = File.ReadLines($"/proc/{scene.First.Id}/cgroup").Single(line => line.StartsWith("0::", StringComparison.Ordinal))["0::".Length..];
        scene.First.Tool("--cgroup", path, "--not-cgroup", path + "/worker", "-s", Ports).Expect(0, "closed=1");
        Assert.Equal([1, 0, 0], scene.Aborted());
    }

    /// <summary>More cgroups than the kernel's filter compares.</summary>
    [Fact]
    public void Cgroup_WithManyBelow_SelectsAllOfThem()
    {
        using var scene = new Scene("x.slice/a.service", "x.slice/b.service", "y.service");
        for (int i = 0; i < 80; i++)
        {
            Directory.CreateDirectory($"{scene.Path("x.slice")}/{i}.service");
        }

        scene.First.Tool("--cgroup", "x.slice", "-s", Ports).Expect(0);
        Assert.Equal([1, 2, 0], scene.Aborted());
    }

    [Fact]
    public void Names_NoPrivilege_AreInTableRecordsAndGroups()
    {
        using var scene = new Scene("x.service", "x.service/worker", $"docker-{Id}.scope");
        var unprivileged = new ToolRun(scene.First) { Wrapper = ["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups", "--inh-caps", "-all", "--bounding-set", "-all"] };

        var table = (unprivileged with { Arguments = ["-n", "-s", Ports] }).Run();
        var records = (unprivileged with { Arguments = ["-n", "--json", "-s", Ports] }).Run();
        var groups = (unprivileged with { Arguments = ["--group-by", "unit", "-s", Ports] }).Run().Expect(0);

        Assert.Equal(3, table.Stdout.Split('\n').Count(row => row.Contains(" uid=0 x.service ")));
        Assert.Equal(3, table.Stdout.Split('\n').Count(row => row.Contains($" uid=0 {Id[..12]} ")));
        var connections = records.Stdout.Split('\n').Where(line => line.Contains("\"connection\""))
            .Select(line => JsonDocument.Parse(line).RootElement).ToList();
        Assert.Equal(2, connections.Count(record => Text(record, "unit") == "x.service" && Text(record, "cgroup").EndsWith("/x.service/worker", StringComparison.Ordinal)));
        Assert.Equal(3, connections.Count(record => Text(record, "container") == Id[..12] && !record.TryGetProperty("unit", out _)));
        Assert.Equal([$"{Id[..12]} 3", "x.service 3"], Groups(groups).Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Pod_OfTheKubelet_IsSelectedAndNamed()
    {
        string slice = $"kubepods.slice/kubepods-pod{Uid.Replace('-', '_')}.slice/cri-containerd-{Id}.scope";
        string logs = $"mount -t tmpfs none /var/log; mkdir -p /var/log/pods/default_web-0_{Uid} /var/log/pods/default_db-0_{Uid[..35]}0";
        using var scene = new Scene(logs, slice, $"kubepods/pod{Uid[..35]}0/{Id}", "y.service");

        scene.First.Tool("--pod", "default/gone*", "-s", Ports).Expect(0);
        var groups = scene.First.Tool("--group-by", "pod", "-s", Ports).Expect(0);
        var result = scene.First.Tool("--pod", "default/web-*", "-s", Ports).Expect(0);

        Assert.Equal(["- 3", "default/db-0 2", "default/web-0 1"], Groups(groups).Order(StringComparer.Ordinal));
        Assert.Contains($" pod=default/web-0 container={Id[..12]}", Assert.Single(result.Destroyed), StringComparison.Ordinal);
        Assert.Equal([1, 0, 0], scene.Aborted());
    }

    /// <summary>
    /// A service ended, and what it handed over still has its sockets: their cgroup has no name, and may have been below an
    /// excluded one.
    /// </summary>
    [Fact]
    public void RemovedCgroup_OfLivingSockets_IsUnknownAndNeverClosedByExclusion()
    {
        using var scene = new Scene("x.service", "y.service", "z.service");
        foreach (int pid in scene.First.Processes("server").Append(scene.First.Id).Distinct())
        {
            File.WriteAllText($"{scene.Path("z.service")}/cgroup.procs", pid.ToString(CultureInfo.InvariantCulture));
        }

        Until.True(() => Command.Run("rmdir", scene.Path("x.service")).ExitCode == 0, "the end of the cgroup");

        var groups = scene.First.Tool("--group-by", "unit", "-s", Ports).Expect(0);
        scene.First.Tool("--cgroup", "x.service", "-s", Ports).Expect(0);
        var result = scene.First.Tool("--not-cgroup", "y.service", "-s", Ports).Expect(1);

        Assert.Contains("? 1", Groups(groups));
        result.ExpectSummary("closed=3");
        Assert.Contains("the cgroups of 1 socket: ENODATA", result.Stderr, StringComparison.Ordinal);
        Assert.Equal([0, 0, 3], scene.Aborted());
    }

    [Fact]
    public void PrivateCgroupNamespace_OtherCgroups_AreUnknownAndReported()
    {
        using var scene = new Scene("x.service", "x.service/inner.service", "y.service");
        string mount = $"echo 0 >{scene.Path("x.service")}/cgroup.procs; exec unshare -C -m sh -ec 'mount -t cgroup2 none /mnt; umount -l {scene.Mount}; exec \"$@\"' sh \"$@\"";
        var inside = new ToolRun(scene.First) { Wrapper = ["sh", "-ec", mount, "sh"] };

        var groups = (inside with { Arguments = ["--group-by", "unit", "-s", Ports] }).Run().Expect(0);
        var missing = (inside with { Arguments = ["--cgroup", "y.service", "-s", Ports] }).Run().Expect(0);
        var result = (inside with { Arguments = ["--not-cgroup", "inner.service", "-s", Ports] }).Run().Expect(1);

        Assert.Equal(["? 4", "inner.service 2"], Groups(groups).Order(StringComparer.Ordinal));
        Assert.Contains("only the cgroups below that of this process are visible here", groups.Stderr, StringComparison.Ordinal);
        Assert.Contains("cgroup y.service is not visible here", missing.Stderr, StringComparison.Ordinal);
        Assert.Equal(1, result.Summary("closed")); // that of the namespace's own root
        Assert.Equal([1, 0, 0], scene.Aborted());
    }

    [Fact]
    public void AllNetns_ContainerWithItsOwnNamespace_LabelsTheNamespaceWithTheContainer()
    {
        Namespaces.Require();
        using var cgroups = CgroupTree.TryCreate($"docker-{Id}.scope");
        Assert.SkipWhen(cgroups is null, "no cgroup v2 that may be written to");
        using var home = LabProcess.Start(new LabEnvironment { OwnProcesses = true }, "--count", "1");
        LabEnvironment container = new() { Enter = home.Inside(), Preparation = $"echo $$ >{cgroups.Paths[$"docker-{Id}.scope"]}/cgroup.procs; set -- unshare -n \"$@\"" };
        using var lab = LabProcess.Start(container, "--count", "2", "--port", "5100");

        var table = home.Tool("-n", "--all-netns", "-s", "5100").Expect(0);
        var groups = home.Tool("--all-netns", "--group-by", "netns", "-s", "5100").Expect(0);
        var result = home.Tool("--all-netns", "-s", "5100").Expect(0);

        string label = ContainerLabel().Match(table.Stdout).Value;
        Assert.Equal(2, table.Stdout.Split('\n').Count(row => row.StartsWith(label, StringComparison.Ordinal) && label.Length > 0));
        Assert.Equal([$"{label} 2"], Groups(groups));
        string netns = label[(label.IndexOf('[') + 1)..^1];
        Assert.All(result.Destroyed, line => Assert.Contains($" container={Id[..12]} netns={netns}", line, StringComparison.Ordinal));
        result.ExpectSummary("closed=2");
    }

    private static string Text(JsonElement record, string name) => record.TryGetProperty(name, out var value) ? value.GetString()! : "";

    private static string[] Groups(Result result) =>
    [
        .. result.Stdout.Split('\n', StringSplitOptions.RemoveEmptyEntries).Skip(1).Select(row => string.Join(' ', row.Split(' ', StringSplitOptions.RemoveEmptyEntries).Take(2))),
    ];

    [GeneratedRegex(@"^3f2a9c1b7d4e\[pid:\d+\]", RegexOptions.Multiline)]
    private static partial Regex ContainerLabel();

    /// <summary>Three Labs in one network namespace, with one, two and three connections, each in a cgroup of its own.</summary>
    private sealed class Scene : IDisposable
    {
        private readonly CgroupTree _cgroups;
        private readonly List<LabProcess> _labs = [];

        internal Scene(string first, string second, string third) : this("", first, second, third)
        {
        }

        /// <param name="mounts">Shell commands that mount file systems for all of them; empty: none.</param>
        internal Scene(string mounts, string first, string second, string third)
        {
            Namespaces.Require();
            var cgroups = CgroupTree.TryCreate(first, second, third);
            Assert.SkipWhen(cgroups is null, "no cgroup v2 that may be written to");
            _cgroups = cgroups;
            LabEnvironment surroundings = new() { OwnMounts = mounts.Length > 0, Preparation = $"{mounts}\n{Join(first)}" };
            _labs.Add(LabProcess.Start(surroundings, "--count", "1"));
            _labs.Add(LabProcess.Start(new LabEnvironment { Enter = First.Inside(), Preparation = Join(second) }, "--count", "2", "--port", "5100"));
            _labs.Add(LabProcess.Start(new LabEnvironment { Enter = First.Inside(), Preparation = Join(third) }, "--count", "3", "--port", "5200"));
        }

        internal LabProcess First => _labs[0];
        internal string Mount => _cgroups.Mount;
        internal string Path(string name) => $"{_cgroups.Root}/{name}";
        internal int[] Aborted() => [.. _labs.Select(lab => lab.State()["server", "aborted"])];

        public void Dispose()
        {
            foreach (var lab in _labs.AsEnumerable().Reverse())
            {
                lab.Dispose();
            }

            _cgroups.Dispose();
        }

        private string Join(string name) => $"echo $$ >{_cgroups.Paths[name]}/cgroup.procs";
    }
}
