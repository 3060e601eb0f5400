namespace TcpCloser.Tests.Run;

/// <summary>Whole runs on a server whose sockets are in cgroups: what is selected, and which names lines, table and records have.</summary>
public sealed class CgroupRunTests : IDisposable
{
    private const string Id = "3f2a9c1b7d4e5f60718293a4b5c6d7e8f90a1b2c3d4e5f60718293a4b5c6d7e8";
    private const string Uid = "8f1c2d3e-4a5b-6c7d-8e9f-0a1b2c3d4e5f";
    private readonly FakeCgroups _cgroups = new();
    private readonly ServerScene _scene;

    public CgroupRunTests()
    {
        _scene = new ServerScene(new FakeHost(_cgroups.Root));
        _cgroups.AddPod($"default_web-0_{Uid}");
        SetCgroup(_scene.One, _cgroups.Add("/system.slice/nginx.service"));
        SetCgroup(_scene.Shared, _cgroups.Add("/system.slice/nginx.service/worker"));
        SetCgroup(_scene.OverIPv6, _cgroups.Add($"/kubepods/burstable/pod{Uid}/{Id}"));
        SetCgroup(_scene.BusyOne, _cgroups.Add($"/docker/{Id[..60]}0000"));
        SetCgroup(_scene.AlsoHeldByOtherUser, _cgroups.Add("/system.slice/a b\u001b.service"));
        SetCgroup(_scene.OwnSession, _cgroups.Add("/user.slice/user-1000.slice/session-3.scope"));
        SetCgroup(_scene.OtherPort, _cgroups.Add("/system.slice/postgresql.service"));
        SetCgroup(_scene.AlsoHeldByInit, _cgroups.Id("/"));
        SetCgroup(_scene.Orphan, 999_999_999_999); // a cgroup that was removed
    }

    public void Dispose() => _cgroups.Dispose();

    [Theory]
    [Rows("unit | -46 -s 22 --cgroup nginx.service", "container | -46 -s 22 --cgroup 3f2a9c1b7d4e --not-cgroup /kubepods", "pod | --pod default/web-* --json",
        "not_cgroup | -46 -s 22 --not-cgroup nginx.service --include-own-session",
        "missing | -46 -s 23 --cgroup /sys/fs/cgroup/no.such --cgroup gone.service --pod default/db", "dry_run | -46 -s 22 -n", "json | -46 -s 22 -n --json",
        "group_by_unit | -46 --group-by unit", "group_by_pod | -46 --group-by pod", "group_by_command | -46 --group-by command --json")]
    public void Run_CommandLine_MatchesTheTranscript(string name, params string[] words) =>
        Snap.Match(InProcess.Transcript(_scene.Host.Machine, words), name);

    /// <summary>Unknown names are reported if the run is about names, and it continues.</summary>
    [Theory]
    [InlineData(false, "every socket is in the root cgroup")]
    [InlineData(true, "only the cgroups below that of this process are visible here")]
    public void GroupByUnit_NamesCannotBeKnown_IsAWarning(bool isPrivate, string warning)
    {
        using var cgroups = new FakeCgroups(isPrivate: isPrivate);
        if (isPrivate)
        {
            cgroups.Add("/init.scope");
        }

        var scene = new ServerScene(new FakeHost(cgroups.Root));
        SetCgroup(scene.One, cgroups.Id("/"));
        (ExitStatus status, string output, string error) = InProcess.Run(scene.Host.Machine, "-46", "-s", "22", "--group-by", "unit");
        Assert.Equal(ExitStatus.Done, status);
        Assert.StartsWith("?  ", output.Split('\n')[1], StringComparison.Ordinal);
        Assert.Contains(warning, error, StringComparison.Ordinal);
    }

    /// <summary>A run that shows no connection does not read the cgroups.</summary>
    [Fact]
    public void Run_NothingIsShown_DoesNotReadTheCgroups()
    {
        Directory.Delete(_cgroups.Root + "/proc", recursive: true);
        (ExitStatus status, _, _) = InProcess.Run(_scene.Host.Machine, "-46", "-s", "23", "-q");
        Assert.Equal(ExitStatus.Done, status);
        Assert.Equal(0, _scene.Host.Machine.Cgroups.Tree.Count);
        Assert.True(_scene.Host.Machine.Cgroups.Tree.Failure.IsNone);
    }

    private static void SetCgroup(FakeTcp socket, ulong id) => socket.Dumped = socket.Dumped with { CgroupId = id };
}
