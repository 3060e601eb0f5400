using System.Text;

namespace TcpCloser.Tests.Proc;

/// <summary>The names of cgroups by the ids of sockets, and when they are looked up.</summary>
public sealed class CgroupNamesTests : IDisposable
{
    private const string Id = "3f2a9c1b7d4e5f60718293a4b5c6d7e8f90a1b2c3d4e5f60718293a4b5c6d7e8";
    private const string Uid = "8f1c2d3e-4a5b-6c7d-8e9f-0a1b2c3d4e5f";

    private readonly FakeCgroups _cgroups = new();
    private readonly CgroupNames _names;

    public CgroupNamesTests() => _names = new CgroupNames(_cgroups.Root);

    public void Dispose() => _cgroups.Dispose();

    [Fact]
    public void Of_IdsOfATree_AreNamed()
    {
        ulong unit = _cgroups.Add("/system.slice/nginx.service");
        ulong pod = _cgroups.Add($"/kubepods/pod{Uid}/{Id}");
        _cgroups.AddPod($"default_web-0_{Uid}");
        _cgroups.AddPod("not a pod");
        Assert.Equal("nginx.service", Text(_names.Of(unit).Unit));
        Assert.Equal(("default/web-0", "3f2a9c1b7d4e"), (Text(_names.Of(pod).Pod), Text(_names.Of(pod).Container)));
        CgroupName root = _names.Of(_cgroups.Id("/"));
        Assert.Equal((true, "/", ""), (root.IsKnown, Text(root.Path), Text(root.Shown)));
        Assert.Same(CgroupName.Unknown, _names.Of(0));
        Assert.Same(CgroupName.Unknown, _names.Of(999_999_999_999));
    }

    /// <summary>Within a round the tree is read once: an id that is unknown then belongs to a cgroup that no longer exists.</summary>
    [Fact]
    public void Of_UnknownId_IsLookedForOnceARound()
    {
        ulong first = _cgroups.Add("/first.service");
        Assert.True(_names.Of(first).IsKnown);
        ulong second = _cgroups.Add("/second.service");
        Assert.False(_names.Of(second).IsKnown);
        _names.BeginRound();
        Assert.Equal("second.service", Text(_names.Of(second).Unit));
    }

    /// <summary>The ids that a selector needs are read before the sockets are listed, so a cgroup may be younger.</summary>
    [Fact]
    public void Of_CgroupYoungerThanTheSelection_IsFound()
    {
        _cgroups.Add("/first.service");
        _names.BeginRound();
        _names.Tree.Read();
        ulong second = _cgroups.Add("/second.service");
        Assert.Equal("second.service", Text(_names.Of(second).Unit));
    }

    /// <summary>What was read once stays true, and a service does not read it again in each round.</summary>
    [Fact]
    public void Of_KnownIdInTheNextRound_ReadsNothing()
    {
        ulong id = _cgroups.Add("/first.service");
        Assert.True(_names.Of(id).IsKnown);
        _names.BeginRound();
        Directory.Delete(_cgroups.MountPoint, recursive: true);
        Assert.Equal("first.service", Text(_names.Of(id).Unit));
    }

    [Fact]
    public void Of_NameThatIsNotUtf8_IsKeptAsItIs()
    {
        _cgroups.Add("/a");
        Shell($"mkdir \"$(printf '{_cgroups.MountPoint}/a/\\377\\033.service')\"");
        _names.EnsureCurrent();
        Shell($"rm -r {_cgroups.MountPoint}/a");
        Assert.Equal([0xff, 0x1b, .. ".service"u8], _names.Of(_names.Tree.IdOf(2)).Unit);
    }

    /// <summary>With cgroup v1, every socket is in the root cgroup, whatever its unit is: the root is no answer.</summary>
    [Fact]
    public void Of_MachineWithCgroupV1_IsUnknown()
    {
        using var cgroups = new FakeCgroups("/sys/fs/cgroup/unified");
        var names = new CgroupNames(cgroups.Root);
        Assert.False(names.Of(cgroups.Id("/")).IsKnown);
        Assert.False(names.HasNames);
    }

    /// <summary>The root of a container's view is not the root cgroup.</summary>
    [Fact]
    public void Of_RootOfAPrivateNamespace_IsUnknown()
    {
        using var cgroups = new FakeCgroups(isPrivate: true);
        ulong id = cgroups.Add("/init.scope");
        var names = new CgroupNames(cgroups.Root);
        Assert.False(names.Of(cgroups.Id("/")).IsKnown);
        Assert.Equal("init.scope", Text(names.Of(id).Unit));
    }

    [Theory]
    [Rows($"0::/system.slice/docker-{Id}.scope\n | 3f2a9c1b7d4e",
        $"12:memory:/docker/{Id}\n1:name=systemd:/docker/{Id}\n0::/system.slice/containerd.service\n | 3f2a9c1b7d4e",
        $"0::/kubepods/pod{Uid}/{Id}\n | default/web-0", "0::/user.slice/user-1000.slice/session-3.scope\n | ", "0::/\n | ", " | ")]
    public void ContainerOfProcess_CgroupsOfBothVersions_AreSearched(string cgroup, string shown)
    {
        _cgroups.AddPod($"default_web-0_{Uid}");
        _cgroups.AddProcess(812, cgroup);
        CgroupName name = _names.ContainerOfProcess(812);
        Assert.Equal((shown.Length > 0, shown), (name.IsKnown, Text(name.Shown)));
    }

    [Fact]
    public void Pods_DirectoryUnreadable_IsAFailureAndMissingIsNot()
    {
        Assert.True(PodNames.Read(_cgroups.Root).Failure.IsNone);
        Directory.CreateDirectory(_cgroups.Root + "/var/log");
        File.CreateSymbolicLink(_cgroups.Root + "/var/log/pods", _cgroups.Root + "/var/log/pods");
        Assert.Equal(Errno.ELOOP, PodNames.Read(_cgroups.Root).Failure.Errno);
    }

    private static void Shell(string script)
    {
        using var shell = System.Diagnostics.Process.Start("sh", ["-c", script]);
        shell.WaitForExit();
        Assert.Equal(0, shell.ExitCode);
    }

    private static string Text(byte[] bytes) => Encoding.UTF8.GetString(bytes);
}
