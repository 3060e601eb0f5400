namespace TcpCloser.KernelTests;

/// <summary>Selectors that name something that does not exist, or that the user may not see.</summary>
public sealed class SelectorErrorTests
{
    [Theory]
    [Values("-n", "-v")]
    public void Mark_NoPrivilege_Exits3AndNamesTheCapability(string option)
    {
        using var lab = LabProcess.Start("--count", "2", "--mark", "7");
        var result = new ToolRun(lab).Unprivileged().Run(option, "--mark", "7").Expect(3);
        Assert.Contains(result.Log, line => line.Contains("mark") && line.Contains("CAP_NET_ADMIN"));
        lab.ExpectState("server alive=2");
    }

    [Theory]
    [Rows("--interface | none0", "--comm | nobody-has-this", "--pid | 4194304", "--cgroup | /sys/fs/cgroup/nothing/here", "--mark | 99",
        "--uid | 4242", "--src | 192.0.2.1")]
    public void Selector_ValueDoesNotExist_MatchesNothing(string option, string value)
    {
        using var lab = LabProcess.Start("--count", "2");
        lab.Tool(option, value, "-s", "1-65535").Expect(0, "matched=0");
        lab.ExpectState("server alive=2");
    }

    [Fact]
    public void Uid_UserName_IsResolved()
    {
        string[] root = File.ReadLines("/etc/passwd").First(line => line.Split(':')[2] == "0").Split(':');
        using var lab = LabProcess.Start("--count", "2");
        lab.Tool("-n", "--uid", root[0], "-s", "1-65535").Expect(0, "matched=4");
        lab.Tool("--uid", "no-such-user", "-s", "1-65535").Expect(2);
    }

    /// <summary>
    /// The kernel shows this number for every user that the namespace does not map; all their connections would be
    /// closed.
    /// </summary>
    [Fact]
    public void Uid_OverflowUidOfAUserNamespace_IsAUsageError()
    {
        using var lab = LabProcess.Start("--count", "2");
        ToolRun run = new(lab) { Arguments = ["-n", "--uid", "0,65534", "--disable-syslog"] };
        var result = (run with { Wrapper = ["unshare", "-U", "-r", "--"] }).Run().Expect(2);

        Assert.StartsWith("tcp-closer: --uid '65534': in this user namespace it stands for every user", result.Stderr, StringComparison.Ordinal);
        if (!Namespaces.NeedUserNamespace)
        {
            run.Run().Expect(0);
        }
    }

    /// <summary>
    /// An inode number is a cgroup's id only on cgroup2. /proc has the number of the root cgroup, and a tmpfs can be made to have
    /// any.
    /// </summary>
    [Theory]
    [Values("/proc", "/dev/shm", "/etc/passwd", "/mnt/cgroup-test-tmpfs", "/mnt/cgroup-test-v1", "/mnt/cgroup-test-v2/cgroup.procs")]
    public void Cgroup_PathIsNotADirectoryOnCgroup2_IsAUsageErrorAndNothingIsClosed(string path)
    {
        Assert.SkipWhen(Namespaces.NeedUserNamespace, "file systems are mounted");
        const string Mounts = """
            mount -t tmpfs none /mnt; cd /mnt; mkdir cgroup-test-tmpfs cgroup-test-v1 cgroup-test-v2
            mount -t tmpfs none cgroup-test-tmpfs
            mount -t cgroup2 none cgroup-test-v2
            mount -t cgroup -o none,name=tcp-closer-test none cgroup-test-v1 || true
            """;
        using var lab = LabProcess.Start(new LabEnvironment { OwnMounts = true, Preparation = Mounts }, "--count", "2");

        var result = lab.Tool("--cgroup", path, "-s", $"{LabProcess.Port}").Expect(2);

        Assert.Contains($"--cgroup '{path}': a cgroup is a directory on the cgroup2 file system", result.Stderr, StringComparison.Ordinal);
        lab.ExpectState("server alive=2");
    }
}
