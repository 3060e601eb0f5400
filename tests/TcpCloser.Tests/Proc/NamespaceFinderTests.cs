using System.Text;

namespace TcpCloser.Tests.Proc;

/// <summary>Which network namespaces the options select, on this machine.</summary>
public sealed class NamespaceFinderTests : IDisposable
{
    private readonly TemporaryDirectory _directory = new();
    private readonly List<(Operation Operation, int Errno, string Subject)> _problems = [];
    private readonly List<ulong> _inodes = [];
    private readonly List<bool> _areOwn = [];
    private string _root = "";
    private OpenedFile _own = OpenedFile.Open("/proc/thread-self/ns/net\0"u8);

    public void Dispose()
    {
        _ = Unistd.close(_own.Descriptor);
        _directory.Dispose();
    }

    /// <summary>It is found under each of its names, and once however often it is named.</summary>
    [Fact]
    public void OwnNamespace_NamedInSeveralWays_IsFoundOnce()
    {
        string own = $"pid:{Environment.ProcessId}";
        Assert.Equal([own], Find("--netns", own));
        Assert.Equal(["/proc/self/ns/net"], Find("--netns", "/proc/self/ns/net", "--netns", own));
        Assert.Empty(_problems);
    }

    /// <summary>Opening a FIFO without O_NONBLOCK would block; it is not a namespace.</summary>
    [Fact]
    public void NamedNamespace_IsNotANamespace_IsAProblemWithoutBlocking()
    {
        Write("file");
        using var made = System.Diagnostics.Process.Start("mkfifo", At("fifo"));
        made.WaitForExit();
        Assert.Empty(Find("--netns", At("file"), "--netns", "pid:2147483647", "--netns", At("file/x"), "--netns", At("fifo")));
        Assert.Equal(
            [
                (Operation.OpenNamespace, Errno.EINVAL, At("file")), (Operation.OpenNamespace, Errno.ENOENT, "pid:2147483647"),
                (Operation.OpenNamespace, Errno.ENOTDIR, At("file/x")), (Operation.OpenNamespace, Errno.EINVAL, At("fifo")),
            ],
            _problems);
    }

    /// <summary>All namespaces are found, by their names if they have one; the program's own is among them once.</summary>
    [Fact]
    public void AllNamespaces_OnThisMachine_AreFoundOnceEach()
    {
        List<string> found = Find("--all-netns");
        Assert.Distinct(found);
        Assert.Equal([Inode("/proc/self/ns/net")], _inodes.Where((_, i) => _areOwn[i]));
        Assert.Distinct(_inodes);
        Assert.All(found, static name => Assert.Matches(@"^(self|pid:\d+|[^/]+|/run/docker/netns/[^/]+)$", name));
        Assert.All(_problems, static problem => Assert.Equal(Errno.EACCES, problem.Errno));
    }

    /// <summary>
    /// Namespaces made by ip-netns(8) come first, then Docker's by their full paths, the program's own, and those of processes that have no
    /// name. Each is found once, by its first name.
    /// </summary>
    [Fact]
    public void AllNamespaces_OfEveryOrigin_AreFoundByTheirFirstName()
    {
        MakeMachine();
        Assert.Equal(["blue", At("run/docker/netns/1-b"), "self", "pid:17"], Find("--all-netns"));
        Assert.Equal([false, false, true, false], _areOwn);
        Assert.Empty(_problems);
        Assert.Equal(Inode("/proc/self/ns/uts"), _inodes[0]);
    }

    /// <summary>
    /// A directory that is not a process is skipped, and a process that ended meanwhile is not a problem. A plain file is a namespace that
    /// ip-netns(8) has not finished making; a dangling link is one that has just ended. There are more names than one call returns.
    /// </summary>
    [Fact]
    public void AllNetns_NamesThatAreNoNamespaceOrNoProcess_AreSkippedWithoutAProblem()
    {
        MakeMachine();
        Link("proc/17x/ns/net", "user");
        Directory.CreateDirectory(At("proc/19/ns"));
        for (int i = 0; i < 2_000; i++)
        {
            Write($"run/netns/unfinished-{i}-with-a-long-name");
        }

        File.CreateSymbolicLink(At("run/netns/ended"), "/nowhere/at/all");
        Link("run/netns/zz-last", "mnt");
        string[] expected = ["blue", "zz-last", At("run/docker/netns/1-b"), "self", "pid:17"];
        Assert.Equal(expected.Order(), Find("--all-netns").Order()); // a directory has no order
        Assert.Empty(_problems);
    }

    /// <summary>If they are named, the same are problems, because they were asked for.</summary>
    [Fact]
    public void NamedNamespace_UnfinishedOrMissing_IsAProblem()
    {
        MakeMachine();
        Write("run/netns/unfinished");
        Assert.Equal(["blue", "pid:17"], Find("--netns", "blue", "--netns", "unfinished", "--netns", "red", "--netns", "pid:17", "--netns", "pid:99"));
        Assert.Equal(
            [
                (Operation.OpenNamespace, Errno.EINVAL, At("run/netns/unfinished")), (Operation.OpenNamespace, Errno.ENOENT, At("run/netns/red")),
                (Operation.OpenNamespace, Errno.ENOENT, "pid:99"),
            ],
            _problems);
    }

    /// <summary>In a container that does not have the host's names, the namespace may exist.</summary>
    [Fact]
    public void NamedNamespace_NoDirectoryOfNames_IsReportedAsThat()
    {
        _root = _directory.Path;
        Assert.Empty(Find("--netns", "blue", "--netns", "pid:99"));
        Assert.Equal(
            [
                (Operation.ListNamespaces, Errno.ENOENT, $"{_directory.Path}/run/netns to find 'blue'"),
                (Operation.OpenNamespace, Errno.ENOENT, "pid:99"),
            ],
            _problems);
    }

    /// <summary>What cannot be read is reported with its path; a directory that does not exist is empty.</summary>
    [Fact]
    public void AllNamespaces_SomeCannotBeOpened_AreProblems()
    {
        MakeMachine();
        Directory.Delete(At("run/docker/netns"), recursive: true);
        Directory.Delete(At("run/netns"), recursive: true);
        Write("run/netns");
        _own = new OpenedFile(Errno.ENOENT, -1);
        File.Delete(At("proc/17/ns/net"));
        File.CreateSymbolicLink(At("proc/17/ns/net"), "net");
        Assert.Equal(["pid:16", "pid:18"], Find("--all-netns").Order());
        Assert.Equal(
            [
                (Operation.ListNamespaces, Errno.ENOTDIR, At("run/netns/")),
                (Operation.OpenNamespace, Errno.ENOENT, "/proc/thread-self/ns/net"),
                (Operation.OpenNamespace, Errno.ELOOP, "of process 17"),
            ],
            _problems);
    }

    /// <summary>Without privilege this is the case for nearly every process of a machine.</summary>
    [Fact]
    public void AllNamespaces_ManyProcessesCannotBeOpened_IsOneProblemWithTheirNumber()
    {
        MakeMachine();
        for (int pid = 100; pid < 700; pid++)
        {
            Directory.CreateDirectory(At($"proc/{pid}/ns"));
            File.CreateSymbolicLink(At($"proc/{pid}/ns/net"), "net");
        }

        Assert.Equal(["blue", At("run/docker/netns/1-b"), "self", "pid:17"], Find("--all-netns"));
        (Operation operation, int errno, string subject) = Assert.Single(_problems);
        Assert.Equal((Operation.OpenNamespace, Errno.ELOOP), (operation, errno));
        Assert.Matches(@"^of process [1-6]\d\d and 599 others$", subject);
    }

    /// <summary>Makes a machine with a namespace of each origin. This process's namespaces of other kinds stand for them.</summary>
    private void MakeMachine()
    {
        _root = _directory.Path;
        Link("run/netns/blue", "uts");
        Link("run/docker/netns/1-b", "ipc");
        Link("proc/16/ns/net", "uts");
        Link("proc/17/ns/net", "pid");
        Link("proc/18/ns/net", "net");
    }

    private string At(string path) => Path.Combine(_directory.Path, path);

    private void Write(string path) => File.WriteAllText(At(path), "");

    private void Link(string path, string kind)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(At(path))!);
        File.CreateSymbolicLink(At(path), $"/proc/self/ns/{kind}");
    }

    private static ulong Inode(string path) => Stat.Inode(Fcntl.AT_FDCWD, Encoding.UTF8.GetBytes(path + '\0'));

    /// <summary>The names of the namespaces that are found. Each has an open descriptor, which is closed here.</summary>
    private List<string> Find(params string[] words)
    {
        List<NamespaceFile> found = new NamespaceFinder(
            Words.Rule([.. words, "-s", "1"]), _own, failure => _problems.Add((failure.Operation, failure.Errno, failure.Subject!)), _root).Find();
        foreach (NamespaceFile file in found)
        {
            Assert.Equal(Statfs.NSFS_MAGIC, Statfs.TypeOf(file.Descriptor));
            _inodes.Add(Stat.Inode(file.Descriptor));
            _areOwn.Add(file.IsOwn);
            Assert.Equal(0, Unistd.close(file.Descriptor));
        }

        return [.. found.Select(static file => Encoding.UTF8.GetString(file.Name))];
    }
}
