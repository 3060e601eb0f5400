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

    [Fact]
    public void NamedNamespace_IsNotANamespace_IsAProblem()
    {
        string file = Path.Combine(_directory.Path, "file");
        File.WriteAllText(file, "");
        Assert.Empty(Find("--netns", file, "--netns", "pid:2147483647", "--netns", file + "/x"));
        Assert.Equal(
            [
                (Operation.OpenNamespace, Errno.EINVAL, file),
                (Operation.OpenNamespace, Errno.ENOENT, "pid:2147483647"),
                (Operation.OpenNamespace, Errno.ENOTDIR, file + "/x"),
            ],
            _problems);
    }

    /// <summary>Opening a FIFO without O_NONBLOCK would block; it is not a namespace.</summary>
    [Fact]
    public void NamedNamespace_Fifo_IsAProblemWithoutBlocking()
    {
        string fifo = Path.Combine(_directory.Path, "fifo");
        using var made = System.Diagnostics.Process.Start("mkfifo", fifo);
        made.WaitForExit();
        Assert.Empty(Find("--netns", fifo));
        Assert.Equal([(Operation.OpenNamespace, Errno.EINVAL, fifo)], _problems);
    }

    /// <summary>All namespaces are found, by their names if they have one; the program's own is among them once.</summary>
    [Fact]
    public void AllNamespaces_OnThisMachine_AreFoundOnceEach()
    {
        List<string> found = Find("--all-netns");
        Assert.Equal(found.Count, found.Distinct().Count());
        ulong own = Inode("/proc/self/ns/net");
        Assert.Equal([own], _inodes.Where((_, i) => _areOwn[i]));
        Assert.Equal(_inodes.Count, _inodes.Distinct().Count());
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
        List<string> found = Find("--all-netns");
        string docker = Path.Combine(_directory.Path, "run/docker/netns/1-b");
        Assert.Equal(["blue", docker, "self", "pid:17"], found);
        Assert.Equal([false, false, true, false], _areOwn);
        Assert.Empty(_problems);
        Assert.Equal(Inode("/proc/self/ns/uts"), _inodes[0]);
    }

    /// <summary>A directory that is not a process is skipped, and a process that ended meanwhile is not a problem.</summary>
    [Fact]
    public void AllNamespaces_DirectoryIsNotAProcess_IsSkipped()
    {
        MakeMachine();
        Link("proc/17x/ns/net", "mnt");
        Directory.CreateDirectory(Path.Combine(_directory.Path, "proc/19/ns"));
        Assert.DoesNotContain("pid:17x", Find("--all-netns"));
        Assert.Empty(_problems);
    }

    /// <summary>A plain file is a namespace that ip-netns(8) has not finished making; a dangling link is one that has just ended.</summary>
    [Fact]
    public void AllNamespaces_UnfinishedOrEnded_AreSkipped()
    {
        MakeMachine();
        File.WriteAllText(Path.Combine(_directory.Path, "run/netns/unfinished"), "");
        File.CreateSymbolicLink(Path.Combine(_directory.Path, "run/netns/ended"), "/nowhere/at/all");
        Assert.DoesNotContain("unfinished", Find("--all-netns"));
        Assert.Empty(_problems);
    }

    /// <summary>If they are named, the same are problems, because they were asked for.</summary>
    [Fact]
    public void NamedNamespace_UnfinishedOrMissing_IsAProblem()
    {
        MakeMachine();
        File.WriteAllText(Path.Combine(_directory.Path, "run/netns/unfinished"), "");
        Assert.Equal(["blue", "pid:17"], Find("--netns", "blue", "--netns", "unfinished", "--netns", "red", "--netns", "pid:17", "--netns", "pid:99"));
        Assert.Equal(
            [
                (Operation.OpenNamespace, Errno.EINVAL, Path.Combine(_directory.Path, "run/netns/unfinished")),
                (Operation.OpenNamespace, Errno.ENOENT, Path.Combine(_directory.Path, "run/netns/red")),
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
        Directory.Delete(Path.Combine(_directory.Path, "run/docker/netns"), recursive: true);
        Directory.Delete(Path.Combine(_directory.Path, "run/netns"), recursive: true);
        File.WriteAllText(Path.Combine(_directory.Path, "run/netns"), "");
        _own = new OpenedFile(Errno.ENOENT, -1);
        File.CreateSymbolicLink(Path.Combine(_directory.Path, "proc/17/ns/loop"), "loop");
        File.Delete(Path.Combine(_directory.Path, "proc/17/ns/net"));
        File.CreateSymbolicLink(Path.Combine(_directory.Path, "proc/17/ns/net"), "loop");
        Assert.Equal(["pid:16", "pid:18"], Find("--all-netns").Order());
        Assert.Equal(
            [
                (Operation.ListNamespaces, Errno.ENOTDIR, Path.Combine(_directory.Path, "run/netns") + "/"),
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
            Directory.CreateDirectory(Path.Combine(_directory.Path, $"proc/{pid}/ns"));
            File.CreateSymbolicLink(Path.Combine(_directory.Path, $"proc/{pid}/ns/net"), "net");
        }

        Assert.Equal(["blue", Path.Combine(_directory.Path, "run/docker/netns/1-b"), "self", "pid:17"], Find("--all-netns"));
        (Operation operation, int errno, string subject) = Assert.Single(_problems);
        Assert.Equal((Operation.OpenNamespace, Errno.ELOOP), (operation, errno));
        Assert.Matches(@"^of process [1-6]\d\d and 599 others$", subject);
    }

    /// <summary>There are more names than one call returns.</summary>
    [Fact]
    public void AllNamespaces_MoreNamesThanOneCallReturns_AreAllFound()
    {
        const int Many = 2_000;
        MakeMachine();
        for (int i = 0; i < Many; i++)
        {
            File.WriteAllText(Path.Combine(_directory.Path, $"run/netns/unfinished-{i}-with-a-long-name"), "");
        }

        Link("run/netns/zz-last", "mnt");
        Assert.Contains("zz-last", Find("--all-netns"));
        Assert.Empty(_problems);
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

    private void Link(string path, string kind)
    {
        string link = Path.Combine(_directory.Path, path);
        Directory.CreateDirectory(Path.GetDirectoryName(link)!);
        File.CreateSymbolicLink(link, $"/proc/self/ns/{kind}");
    }

    private static ulong Inode(string path)
    {
        Assert.Equal(0, Fcntl.Open(Fcntl.AT_FDCWD, [.. Encoding.UTF8.GetBytes(path), 0], Fcntl.O_RDONLY, out int fd));
        ulong inode = Stat.Inode(fd);
        Assert.Equal(0, Unistd.close(fd));
        return inode;
    }

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
