using System.Text;
using TcpCloser.Run;

namespace TcpCloser.Tests.Run;

/// <summary>What the names in a rule refer to now, and what is reported if they refer to nothing or cannot be looked up.</summary>
public sealed class RuleLookupTests : IDisposable
{
    private readonly FakeHost _host = new();
    private readonly RecordingObserver _observer = new();
    private readonly RoundStatus _status = new(new Rule());
    private readonly TemporaryDirectory _directory = new();
    private readonly FakeCgroups _cgroups = new();

    public void Dispose()
    {
        _directory.Dispose();
        _cgroups.Dispose();
    }

    [Fact]
    public void Devices_OneIsMissing_IsReportedOnceARound()
    {
        RuleLookup lookup = Lookup("-s", "22", "--interface", "eth0", "--interface", "nowhere0", "--interface", "lo");
        var named = new FakeNamespace(_host.Kernel, "blue"u8.ToArray());
        for (int i = 0; i < 2; i++)
        {
            Assert.Equal([2u, 1u], lookup.ContextOf(_host.Network).Interfaces);
            Assert.Equal([2u, 1u], lookup.ContextOf(named).Interfaces);
            Assert.Null(lookup.ContextOf(named).AddressDevices);
            Assert.Null(lookup.ContextOf(named).CgroupIds);
        }

        Assert.Equal(
            [
                (Level.Warning, "device nowhere0 does not exist, so no connection matches it"),
                (Level.Warning, "device nowhere0 does not exist in netns blue, so no connection matches it"),
            ],
            _observer.Messages);
        lookup.Close();
        _ = lookup.ContextOf(_host.Network);
        Assert.Equal(3, _observer.Messages.Count); // the next round
    }

    [Fact]
    public void DevicesOfAddresses_EachOption_AreFoundByName()
    {
        RuleLookup lookup = Lookup("--src", "fe80::1%eth0", "--dst", "fe80::2%lo,fe80::3%lo,fd00::1", "--not-src", "fe80::4%nowhere0");
        RuleContext context = lookup.ContextOf(_host.Network);
        Assert.Equal([("eth0", 2u), ("lo", 1u), ("nowhere0", 0u)], context.AddressDevices!.Select(static pair => (pair.Key, pair.Value)));
        Assert.Null(context.Interfaces);
        Assert.Single(_observer.Messages);
    }

    [Fact]
    public void Cgroups_MissingOrUnreadable_MatchNothingAndAreReported()
    {
        string file = Path.Combine(_directory.Path, "file");
        File.WriteAllText(file, "");
        string loop = Path.Combine(_directory.Path, "loop");
        File.CreateSymbolicLink(loop, loop);
        RuleLookup lookup = LookupIn(_cgroups.Root, "-s", "22", "--cgroup", Path.Combine(_directory.Path, "gone"),
            "--cgroup", Path.Combine(file, "below"), "--cgroup", loop);
        lookup.Find();
        RuleContext context = lookup.ContextOf(_host.Network);
        Assert.Empty(context.CgroupIds!);
        Assert.Null(context.OwnedInodes);
        Assert.Equal(3, _observer.Messages.Count);
        Assert.Equal((Level.Warning, $"cgroup {_directory.Path}/gone does not exist now, so no connection matches it"), _observer.Messages[0]);
        Assert.Equal((Level.Warning, $"cgroup {_directory.Path}/file/below does not exist now, so no connection matches it"), _observer.Messages[1]);
        Assert.StartsWith($"finding the cgroup {loop}: ", Assert.Single(_observer.Errors), StringComparison.Ordinal); // ELOOP
        Assert.True(_status.IsIncomplete);
    }

    [Fact]
    public void Cgroup_MountPointOfCgroup2_IsEveryCgroup()
    {
        string? mount = File.ReadLines("/proc/self/mounts").Select(static line => line.Split(' ')).FirstOrDefault(static words => words[2] == "cgroup2")?[1];
        Assert.SkipWhen(mount is null, "no cgroup v2 is mounted here");
        RuleLookup lookup = LookupIn("", "-s", "22", "--cgroup", mount);
        lookup.Find();
        Assert.Contains(Stat.Inode(Fcntl.AT_FDCWD, [.. Encoding.UTF8.GetBytes(mount), 0]), lookup.ContextOf(_host.Network).CgroupIds!);
        Assert.Empty(_observer.Messages);
    }

    /// <summary>A path that does not exist when a service starts may be anything later.</summary>
    [Fact]
    public void Cgroup_PathIsNotOnCgroup2_MatchesNothingAndIsAnError()
    {
        string path = Path.Combine(_directory.Path, "later");
        RuleLookup lookup = LookupIn(_cgroups.Root, "-s", "22", "--cgroup", path);
        Directory.CreateDirectory(path);
        lookup.Find();
        Assert.Empty(lookup.ContextOf(_host.Network).CgroupIds!);
        Assert.StartsWith(
            $"finding the cgroup {path}: EINVAL (invalid argument); a cgroup is a directory on the cgroup2 file system",
            Assert.Single(_observer.Errors), StringComparison.Ordinal);
        Assert.True(_status.IsIncomplete);
    }

    [Fact]
    public void Cgroups_UnitsAndContainers_AreFoundWithAllBelow()
    {
        const string Id = "3f2a9c1b7d4e5f60718293a4b5c6d7e8f90a1b2c3d4e5f60718293a4b5c6d7e8";
        ulong top = _cgroups.Add("/system.slice/nginx.service");
        ulong below = _cgroups.Add("/system.slice/nginx.service/worker");
        ulong container = _cgroups.Add($"/docker/{Id}");
        ulong other = _cgroups.Add("/system.slice/other.service");
        RuleLookup lookup = LookupIn(_cgroups.Root, "--cgroup", "nginx.service,gone.service", "--cgroup", Id[..12], "--not-cgroup", "worker,/nothing");
        lookup.Find();
        RuleContext context = lookup.ContextOf(_host.Network);
        Assert.Equal(new[] { top, below, container }.Order(), context.CgroupIds!.Order());
        Assert.Equal((true, false, false), (context.CgroupExclusions![below], context.CgroupExclusions[top], context.CgroupExclusions[other]));
        Assert.Equal(
            [
                (Level.Warning, "cgroup gone.service does not exist now, so no connection matches it"),
                (Level.Warning, "cgroup /nothing does not exist now, so nothing is excluded by it"),
            ],
            _observer.Messages);
        Assert.False(_status.IsIncomplete);
    }

    /// <summary>A unit that was restarted has another cgroup.</summary>
    [Fact]
    public void Cgroups_NextRound_AreLookedUpAgain()
    {
        ulong first = _cgroups.Add("/a.service");
        RuleLookup lookup = LookupIn(_cgroups.Root, "--cgroup", "a.service");
        lookup.Find();
        Assert.Equal([first], lookup.ContextOf(_host.Network).CgroupIds!);
        lookup.Close();
        Directory.Move(_cgroups.MountPoint + "/a.service", _cgroups.Root + "/old");
        ulong second = _cgroups.Add("/a.service");
        lookup.Find();
        Assert.Equal([second], lookup.ContextOf(_host.Network).CgroupIds!);
    }

    [Fact]
    public void Pods_ByNameAndCgroup_BothHaveToHold()
    {
        const string Uid = "8f1c2d3e-4a5b-6c7d-8e9f-0a1b2c3d4e5";
        ulong web = _cgroups.Add($"/kubepods/pod{Uid}0/a");
        ulong db = _cgroups.Add($"/kubepods/burstable/pod{Uid}1/a");
        _cgroups.AddPod($"default_web-0_{Uid}0");
        _cgroups.AddPod($"default_db-0_{Uid}1");
        Assert.Equal(new[] { web, _cgroups.Id($"/kubepods/pod{Uid}0") }.Order(), Ids("--pod", "default/web-*").Order());
        Assert.Equal(4, Ids("--pod", "*/*").Count);
        Assert.Equal(new[] { db, _cgroups.Id($"/kubepods/burstable/pod{Uid}1") }.Order(), Ids("--pod", "default/*", "--cgroup", "burstable").Order());
        Assert.Empty(_observer.Messages);
        Assert.Empty(Ids("--pod", "kube-system/*"));
        Assert.Equal((Level.Warning, "pod kube-system/* does not exist now, so no connection matches it"), Assert.Single(_observer.Messages));
    }

    /// <summary>In a private cgroup namespace, a cgroup that is not visible may exist.</summary>
    [Fact]
    public void Cgroups_OnlyAPartIsVisible_IsReported()
    {
        using var cgroups = new FakeCgroups(isPrivate: true);
        cgroups.Add("/init.scope");
        LookupIn(cgroups.Root, "--cgroup", "nginx.service").Find();
        Assert.Equal("cgroup nginx.service is not visible here, where only a part of the cgroups is (a private cgroup namespace), so no connection matches it",
            Assert.Single(_observer.Messages).Text);
    }

    [Fact]
    public void Cgroups_NoCgroup2Mounted_IsNotPossible()
    {
        LookupIn(_directory.Path, "--cgroup", "nginx.service").Find();
        Assert.StartsWith("listing the cgroups: ENOENT (no such file or object); no cgroup2 file system is mounted here", _observer.Errors.First(), StringComparison.Ordinal);
        Assert.Equal((true, true), (_status.IsIncomplete, _status.IsNotPossible));
    }

    private HashSet<ulong> Ids(params string[] words)
    {
        RuleLookup lookup = LookupIn(_cgroups.Root, words);
        lookup.Find();
        return lookup.ContextOf(_host.Network).CgroupIds!;
    }

    /// <param name="root">The directory with the files of the machine.</param>
    private RuleLookup LookupIn(string root, params string[] words) => new(
        Words.Rule(words), new Machine(_host.Network, _host.OpenProcesses, root), new RoundReport(new ConnectionList(), [_observer], _status));

    private RuleLookup Lookup(params string[] words) => LookupIn(FakeHost.NoRoot, words);
}
