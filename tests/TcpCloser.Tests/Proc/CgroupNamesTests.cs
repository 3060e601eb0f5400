using System.Text;

namespace TcpCloser.Tests.Proc;

/// <summary>The names of cgroups by the ids of sockets, and when they are looked up.</summary>
public sealed class CgroupNamesTests
{
    private const string Id = "3f2a9c1b7d4e5f60718293a4b5c6d7e8f90a1b2c3d4e5f60718293a4b5c6d7e8";
    private const string Uid = "8f1c2d3e-4a5b-6c7d-8e9f-0a1b2c3d4e5f";

    [Fact]
    public void Of_IdsOfATree_AreNamed()
    {
        using var cgroups = new FakeCgroups();
        ulong unit = cgroups.Add("/system.slice/nginx.service");
        ulong pod = cgroups.Add($"/kubepods/pod{Uid}/{Id}");
        cgroups.AddPod($"default_web-0_{Uid}");
        cgroups.AddPod("not a pod");
        var names = new CgroupNames(cgroups.Root);
        Assert.Equal("nginx.service", Text(names.Of(unit).Unit));
        Assert.Equal(("default/web-0", "3f2a9c1b7d4e"), (Text(names.Of(pod).Pod), Text(names.Of(pod).Container)));
        Assert.Equal((true, "/", ""), (names.Of(cgroups.Id("/")).IsKnown, Text(names.Of(cgroups.Id("/")).Path), Text(names.Of(cgroups.Id("/")).Shown)));
        Assert.Same(CgroupName.Unknown, names.Of(0));
        Assert.Same(CgroupName.Unknown, names.Of(999_999_999_999));
    }

    /// <summary>Within a round the tree is read once: an id that is unknown then belongs to a cgroup that no longer exists.</summary>
    [Fact]
    public void Of_UnknownId_IsLookedForOnceARound()
    {
        using var cgroups = new FakeCgroups();
        ulong first = cgroups.Add("/first.service");
        var names = new CgroupNames(cgroups.Root);
        Assert.True(names.Of(first).IsKnown);
        ulong second = cgroups.Add("/second.service");
        Assert.False(names.Of(second).IsKnown);
        names.BeginRound();
        Assert.Equal("second.service", Text(names.Of(second).Unit));
    }

    /// <summary>The ids that a selector needs are read before the sockets are listed, so a cgroup may be younger.</summary>
    [Fact]
    public void Of_CgroupYoungerThanTheSelection_IsFound()
    {
        using var cgroups = new FakeCgroups();
        cgroups.Add("/first.service");
        var names = new CgroupNames(cgroups.Root);
        names.BeginRound();
        names.Tree.Read();
        ulong second = cgroups.Add("/second.service");
        Assert.Equal("second.service", Text(names.Of(second).Unit));
    }

    /// <summary>What was read once stays true, and a service does not read it again in each round.</summary>
    [Fact]
    public void Of_KnownIdInTheNextRound_ReadsNothing()
    {
        using var cgroups = new FakeCgroups();
        ulong id = cgroups.Add("/first.service");
        var names = new CgroupNames(cgroups.Root);
        Assert.True(names.Of(id).IsKnown);
        names.BeginRound();
        Directory.Delete(cgroups.MountPoint, recursive: true);
        Assert.Equal("first.service", Text(names.Of(id).Unit));
    }

    [Fact]
    public void Of_NameThatIsNotUtf8_IsKeptAsItIs()
    {
        using var cgroups = new FakeCgroups();
        cgroups.Add("/a");
        var names = new CgroupNames(cgroups.Root);
        Shell($"mkdir \"$(printf '{cgroups.MountPoint}/a/\\377\\033.service')\"");
        names.EnsureCurrent();
        Shell($"rm -r {cgroups.MountPoint}/a");
        Assert.Equal([0xff, 0x1b, .. ".service"u8], names.Of(names.Tree.IdOf(2)).Unit);
    }

    /// <summary>Every socket is in the root cgroup, whatever its unit is: the root is no answer.</summary>
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
    [InlineData($"0::/system.slice/docker-{Id}.scope\n", "3f2a9c1b7d4e")]
    [InlineData($"12:memory:/docker/{Id}\n1:name=systemd:/docker/{Id}\n0::/system.slice/containerd.service\n", "3f2a9c1b7d4e")]
    [InlineData($"0::/kubepods/pod{Uid}/{Id}\n", "default/web-0")]
    [InlineData("0::/user.slice/user-1000.slice/session-3.scope\n", "")]
    [InlineData("0::/\n", "")]
    [InlineData("", "")]
    public void ContainerOfProcess_CgroupsOfBothVersions_AreSearched(string cgroup, string shown)
    {
        using var cgroups = new FakeCgroups();
        cgroups.AddPod($"default_web-0_{Uid}");
        cgroups.AddProcess(812, cgroup);
        CgroupName name = new CgroupNames(cgroups.Root).ContainerOfProcess(812);
        Assert.Equal((shown.Length > 0, shown), (name.IsKnown, Text(name.Shown)));
    }

    [Fact]
    public void Pods_DirectoryUnreadable_IsAFailureAndMissingIsNot()
    {
        using var cgroups = new FakeCgroups();
        Assert.True(PodNames.Read(cgroups.Root).Failure.IsNone);
        Directory.CreateDirectory(cgroups.Root + "/var/log");
        File.CreateSymbolicLink(cgroups.Root + "/var/log/pods", cgroups.Root + "/var/log/pods");
        Assert.Equal(Errno.ELOOP, PodNames.Read(cgroups.Root).Failure.Errno);
    }

    private static void Shell(string script)
    {
        using var shell = System.Diagnostics.Process.Start("sh", ["-c", script]);
        shell.WaitForExit();
        Assert.Equal(0, shell.ExitCode);
    }

    private static string Text(byte[] bytes) => Encoding.UTF8.GetString(bytes);
}
