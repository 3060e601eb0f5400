using System.Text;

namespace TcpCloser.Tests.Proc;

/// <summary>The cgroups that are visible, and which of them a value of <c>--cgroup</c> names.</summary>
public sealed class CgroupTreeTests
{
    private const string Id = "3f2a9c1b7d4e5f60718293a4b5c6d7e8f90a1b2c3d4e5f60718293a4b5c6d7e8";
    private const string Scope = $"/system.slice/docker-{Id}.scope";

    [Fact]
    public void Read_WholeTree_HasEachCgroupAfterItsParent()
    {
        using var cgroups = new FakeCgroups();
        cgroups.Add("/system.slice/nginx.service", "/system.slice/b.service/below", "/user.slice");
        CgroupTree tree = Read(cgroups.Root);
        Assert.Equal((6, true, true), (tree.Count, tree.IsWhole, tree.Failure.IsNone));
        Assert.Equal("/", Path(tree, 0));
        foreach (string path in new[] { "/system.slice", "/system.slice/nginx.service", "/system.slice/b.service/below", "/user.slice" })
        {
            int index = tree.IndexOf(cgroups.Id(path));
            Assert.Equal(path, Path(tree, index));
            Assert.InRange(tree.ParentOf(index), 0, index - 1);
            Assert.Equal(index, tree.Find(Encoding.UTF8.GetBytes(path + "/")));
        }

        Assert.Equal(-1, tree.IndexOf(1));
        Assert.Equal(-1, tree.Find("/system.slice/gone"u8));
    }

    /// <summary>Cgroups that come and go are found and forgotten by the next reading.</summary>
    [Fact]
    public void Read_Again_FindsWhatExistsNow()
    {
        using var cgroups = new FakeCgroups();
        ulong old = cgroups.Add("/old.service");
        CgroupTree tree = Read(cgroups.Root);
        Directory.Move(cgroups.MountPoint + "/old.service", cgroups.Root + "/elsewhere");
        ulong young = cgroups.Add("/young.service");
        tree.Read();
        Assert.Equal(-1, tree.IndexOf(old));
        Assert.True(tree.IndexOf(young) > 0);
    }

    [Theory]
    [Values("/sys/fs/cgroup", "/sys/fs/cgroup/unified", "/mnt/a b")]
    public void Read_MountPoint_IsFoundInMountinfo(string mountPoint)
    {
        using var cgroups = new FakeCgroups(mountPoint, others: "40 31 0:30 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n42 31 0:99 / /nowhere rw - cgroup2 cgroup2 rw\n");
        ulong id = cgroups.Add("/a.service");
        CgroupTree tree = Read(cgroups.Root);
        Assert.True(tree.IndexOf(id) > 0);
        Assert.Equal(tree.IndexOf(id), tree.Find(Encoding.UTF8.GetBytes(mountPoint + "/a.service")));
    }

    [Fact]
    public void Read_PrivateNamespace_IsNotWhole()
    {
        using var cgroups = new FakeCgroups(isPrivate: true);
        cgroups.Add("/init.scope");
        CgroupTree tree = Read(cgroups.Root);
        Assert.Equal((false, true), (tree.IsWhole, tree.Failure.IsNone));
    }

    /// <summary>A part that is mounted has the path of that part in the cgroup namespace; a part outside of it has none.</summary>
    [Theory]
    [Rows("/system.slice | /system.slice/a.service", "/../../.. | /a.service")]
    public void Read_MountOfAPart_KnowsItsPath(string mountRoot, string path)
    {
        using var cgroups = new FakeCgroups(isPrivate: true, mountRoot: mountRoot);
        ulong id = cgroups.Add("/a.service");
        CgroupTree tree = Read(cgroups.Root);
        Assert.Equal(path, Path(tree, tree.IndexOf(id)));
        Assert.Equal(tree.IndexOf(id), tree.Find(Encoding.UTF8.GetBytes(path)));
    }

    [Fact]
    public void Read_NothingMounted_IsAFailure()
    {
        using var directory = new TemporaryDirectory();
        CgroupTree tree = Read(directory.Path);
        Assert.Equal((Operation.ListCgroups, Errno.ENOENT), (tree.Failure.Operation, tree.Failure.Errno));
        Assert.Equal(0, tree.Count);
        Assert.Equal(-1, tree.Find("/a"u8));
    }

    /// <summary>The inode numbers below a mount point inside are those of another file system. Here, /dev plays the part of cgroup2.</summary>
    [Fact]
    public void Read_DirectoryThatAnotherFileSystemCovers_IsAFailureAndNotEntered()
    {
        Assert.SkipUnless(File.ReadLines("/proc/self/mounts").Any(static line => line.Split(' ')[1] == "/dev/shm"), "nothing is mounted on /dev/shm");
        using var directory = new TemporaryDirectory();
        Directory.CreateDirectory(directory.Path + "/proc/self");
        File.WriteAllText(directory.Path + "/proc/self/mountinfo", FakeCgroups.MountOf("/dev", string.Concat(Enumerable.Repeat("/..", 20)) + "/dev"));
        CgroupTree tree = Read(directory.Path);
        Assert.Equal((Operation.ListCgroups, Errno.EXDEV), (tree.Failure.Operation, tree.Failure.Errno));
        int covered = tree.Find("/shm"u8);
        Assert.InRange(covered, 1, tree.Count - 1);
        Assert.All(Enumerable.Range(0, tree.Count), i => Assert.NotEqual(covered, tree.ParentOf(i)));
    }

    /// <summary>A user may nest the cgroups that were delegated to them as deep as they like.</summary>
    [Fact]
    public void Read_PathLongerThanTheKernelAccepts_IsAFailureAndTheOthersAreRead()
    {
        using var cgroups = new FakeCgroups();
        string name = new('a', 200);
        ulong other = cgroups.Add("/other.service");
        Shell($"cd '{cgroups.MountPoint}'; for i in $(seq 25); do mkdir {name} && cd -P {name} || exit; done");
        CgroupTree tree = Read(cgroups.Root);
        Shell($"rm -r '{cgroups.MountPoint}'");
        Assert.Equal(Errno.ENAMETOOLONG, tree.Failure.Errno);
        Assert.True(tree.IndexOf(other) > 0);
    }

    [Fact]
    public void Cgroup2OfThisMachine_EachCgroup_HasTheInodeOfItsDirectory()
    {
        CgroupTree tree = Read("");
        Assert.SkipWhen(tree.Count == 0 || !tree.IsWhole, "no whole cgroup2 file system is mounted here");
        string mount = File.ReadLines("/proc/self/mounts").Select(static line => line.Split(' ')).First(static words => words[2] == "cgroup2")[1];
        for (int i = 0; i < tree.Count; i++)
        {
            ulong inode = Stat.Inode(Fcntl.AT_FDCWD, [.. Encoding.UTF8.GetBytes(mount), .. tree.PathOf(i), 0]);
            Assert.True(inode == tree.IdOf(i) || inode == 0); // 0: removed meanwhile
        }

        Assert.Equal(1u, tree.IdOf(0));
    }

    [Theory]
    [Rows("/system.slice/nginx.service | /system.slice/nginx.service", "0::/system.slice/nginx.service | /system.slice/nginx.service",
        $"/system.slice/ | /system.slice,/system.slice/nginx.service,{Scope},{Scope}/a",
        "/sys/fs/cgroup/user.slice | /user.slice,/user.slice/x,/user.slice/x/nginx.service",
        "nginx.service | /system.slice/nginx.service,/user.slice/x/nginx.service",
        "user.slice | /user.slice,/user.slice/x,/user.slice/x/nginx.service", "memory.service | /_memory.service",
        $"3f2a9c1b7d4e | {Scope},{Scope}/a", $"{Id} | {Scope},{Scope}/a", $"docker://{Id} | {Scope},{Scope}/a",
        $"docker-3f2a9c1b7d4e.scope | {Scope},{Scope}/a", "3f2a9c1b7d4f | ", "nginx | ", "/nginx.service | ")]
    public void Pattern_EachSpelling_NamesTheCgroupAndAllBelow(string value, string paths)
    {
        using var cgroups = new FakeCgroups();
        cgroups.Add("/system.slice/nginx.service", Scope + "/a", "/user.slice/x/nginx.service", "/_memory.service");
        CgroupTree tree = Read(cgroups.Root);
        HashSet<ulong> ids = [];
        int errno = CgroupPattern.Parse(value)!.AddIds(tree, ids);
        Assert.Equal(paths.Length == 0 ? Errno.ENOENT : 0, errno);
        Assert.Equal(paths.Split(',', StringSplitOptions.RemoveEmptyEntries).Select(cgroups.Id).Order(), ids.Order());
    }

    [Theory]
    [Values("", "/", "//", "0::/", ".", "..", "system.slice/nginx.service", "docker://web", "docker://3f2a9c1b7d4")]
    public void Pattern_CannotBeACgroup_IsRefused(string value) => Assert.Null(CgroupPattern.Parse(value));

    [Theory]
    [Rows("default/web-0 | true", "default/web-* | true", "def*/web-0 | true", "*/* | true", "default/web | false", "defaul/web-0 | false",
        "*/db-* | false")]
    public void PodPattern_Value_IsComparedByPart(string value, bool matches) =>
        Assert.Equal(matches, PodPattern.Parse(value)!.Matches("default/web-0"u8));

    [Theory]
    [Values("", "web-0", "/web-0", "default/", "default/web/0", "de*ult/web-0", "default/Web_0")]
    public void PodPattern_CannotBeAPod_IsRefused(string value) => Assert.Null(PodPattern.Parse(value));

    private static CgroupTree Read(string root)
    {
        var tree = new CgroupTree(root);
        tree.Read();
        return tree;
    }

    private static string Path(CgroupTree tree, int index) => Encoding.UTF8.GetString(tree.PathOf(index));

    /// <summary>A shell and its commands go down step by step where a whole path would be too long.</summary>
    private static void Shell(string script)
    {
        using var shell = System.Diagnostics.Process.Start("sh", ["-c", script]);
        shell.WaitForExit();
        Assert.Equal(0, shell.ExitCode);
    }
}
