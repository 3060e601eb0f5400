using System.Text;
using TcpCloser.Interop;
using TcpCloser.Proc;
using TcpCloser.Tests.Support;

namespace TcpCloser.Tests.Proc;

/// <summary>Which network namespaces are meant, on this machine.</summary>
public sealed class NamespaceFinderTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly List<(Operation Operation, int Errno, string Subject)> _problems = [];
    private readonly List<ulong> _inodes = [];
    private string _root = "";

    public void Dispose() => _folder.Dispose();

    /// <summary>Whichever way it is named; and once, however often.</summary>
    [Fact]
    public void OnesOwn()
    {
        string own = $"pid:{Environment.ProcessId}";
        Assert.Equal([own], Find("--netns", own));
        Assert.Equal(["/proc/self/ns/net"], Find("--netns", "/proc/self/ns/net", "--netns", own));
        Assert.Empty(_problems);
    }

    [Fact]
    public void WhatIsNone()
    {
        string file = Path.Combine(_folder.Path, "file");
        File.WriteAllText(file, "");
        Assert.Empty(Find("--netns", file, "--netns", "pid:2147483647", "--netns", "no-such-namespace", "--netns", file + "/x"));
        Assert.Equal(
            [
                (Operation.OpenNamespace, Errno.EINVAL, file),
                (Operation.OpenNamespace, Errno.ENOENT, "pid:2147483647"),
                (Operation.OpenNamespace, Errno.ENOENT, "/run/netns/no-such-namespace"),
                (Operation.OpenNamespace, Errno.ENOTDIR, file + "/x"),
            ],
            _problems);
    }

    /// <summary>A FIFO would be waited for by whoever opens it without O_NONBLOCK; it is no namespace.</summary>
    [Fact]
    public void AFifoIsNotWaitedFor()
    {
        string fifo = Path.Combine(_folder.Path, "fifo");
        using var made = System.Diagnostics.Process.Start("mkfifo", fifo);
        made.WaitForExit();
        Assert.Empty(Find("--netns", fifo));
        Assert.Equal([(Operation.OpenNamespace, Errno.EINVAL, fifo)], _problems);
    }

    /// <summary>All there are, by the names of those that have one; the own one among them, once.</summary>
    [Fact]
    public void AllOfThem()
    {
        List<string> found = Find("--all-netns");
        Assert.Equal(found.Count, found.Distinct().Count());
        ulong own = Inode("/proc/self/ns/net");
        Assert.Equal(1, _inodes.Count(inode => inode == own));
        Assert.Equal(_inodes.Count, _inodes.Distinct().Count());
        Assert.All(found, static name => Assert.Matches(@"^(self|pid:\d+|[^/]+|/run/docker/netns/[^/]+)$", name));
        Assert.All(_problems, static problem => Assert.Equal(Errno.EACCES, problem.Errno));
    }

    /// <summary>
    /// Those that ip-netns(8) made, then Docker's by their whole path, the own one, and those of processes that have no name; each once,
    /// by the first name that it has.
    /// </summary>
    [Fact]
    public void ThoseOfAWholeMachine()
    {
        MakeMachine();
        List<string> found = Find("--all-netns");
        string docker = Path.Combine(_folder.Path, "run/docker/netns/1-b");
        Assert.Equal(["blue", docker, "self", "pid:17"], found);
        Assert.Empty(_problems);
        Assert.Equal(Inode("/proc/self/ns/uts"), _inodes[0]);
    }

    /// <summary>What is no folder of a process is not looked into, and a process that ended meanwhile is no problem.</summary>
    [Fact]
    public void OnlyProcessesHaveNumbers()
    {
        MakeMachine();
        Link("proc/17x/ns/net", "mnt");
        Directory.CreateDirectory(Path.Combine(_folder.Path, "proc/19/ns"));
        Assert.DoesNotContain("pid:17x", Find("--all-netns"));
        Assert.Empty(_problems);
    }

    /// <summary>A plain file is one that ip-netns(8) has not finished making; a link that leads nowhere has just ended.</summary>
    [Fact]
    public void WhatIsBeingMadeOrHasEnded()
    {
        MakeMachine();
        File.WriteAllText(Path.Combine(_folder.Path, "run/netns/unfinished"), "");
        File.CreateSymbolicLink(Path.Combine(_folder.Path, "run/netns/ended"), "/nowhere/at/all");
        Assert.DoesNotContain("unfinished", Find("--all-netns"));
        Assert.Empty(_problems);
    }

    /// <summary>Named, the same are problems: somebody wants them.</summary>
    [Fact]
    public void WhatIsNamedHasToBeThere()
    {
        MakeMachine();
        File.WriteAllText(Path.Combine(_folder.Path, "run/netns/unfinished"), "");
        Assert.Equal(["blue", "pid:17"], Find("--netns", "blue", "--netns", "unfinished", "--netns", "red", "--netns", "pid:17", "--netns", "pid:99"));
        Assert.Equal(
            [
                (Operation.OpenNamespace, Errno.EINVAL, Path.Combine(_folder.Path, "run/netns/unfinished")),
                (Operation.OpenNamespace, Errno.ENOENT, Path.Combine(_folder.Path, "run/netns/red")),
                (Operation.OpenNamespace, Errno.ENOENT, "pid:99"),
            ],
            _problems);
    }

    /// <summary>What could not be looked at is told, with where it is; a folder that is not there has nothing in it.</summary>
    [Fact]
    public void WhatCannotBeLookedAt()
    {
        MakeMachine();
        Directory.Delete(Path.Combine(_folder.Path, "run/docker/netns"), recursive: true);
        Directory.Delete(Path.Combine(_folder.Path, "run/netns"), recursive: true);
        File.WriteAllText(Path.Combine(_folder.Path, "run/netns"), "");
        File.Delete(Path.Combine(_folder.Path, "proc/self/ns/net"));
        File.CreateSymbolicLink(Path.Combine(_folder.Path, "proc/17/ns/loop"), "loop");
        File.Delete(Path.Combine(_folder.Path, "proc/17/ns/net"));
        File.CreateSymbolicLink(Path.Combine(_folder.Path, "proc/17/ns/net"), "loop");
        Assert.Equal(["pid:16", "pid:18"], Find("--all-netns").Order());
        Assert.Equal(
            [
                (Operation.ListNamespaces, Errno.ENOTDIR, Path.Combine(_folder.Path, "run/netns") + "/"),
                (Operation.OpenNamespace, Errno.ENOENT, "/proc/self/ns/net"),
                (Operation.OpenNamespace, Errno.ELOOP, Path.Combine(_folder.Path, "proc/17/ns/net")),
            ],
            _problems);
    }

    /// <summary>More names than one call gives.</summary>
    [Fact]
    public void ManyNames()
    {
        const int Many = 2_000;
        MakeMachine();
        for (int i = 0; i < Many; i++)
        {
            File.WriteAllText(Path.Combine(_folder.Path, $"run/netns/unfinished-{i}-with-a-long-name"), "");
        }

        Link("run/netns/zz-last", "mnt");
        Assert.Contains("zz-last", Find("--all-netns"));
        Assert.Empty(_problems);
    }

    /// <summary>A machine with a namespace of each origin; their numbers are those of this process's namespaces of other kinds.</summary>
    private void MakeMachine()
    {
        _root = _folder.Path;
        Link("run/netns/blue", "uts");
        Link("run/docker/netns/1-b", "ipc");
        Link("proc/self/ns/net", "net");
        Link("proc/16/ns/net", "uts");
        Link("proc/17/ns/net", "pid");
        Link("proc/18/ns/net", "net");
    }

    private void Link(string path, string kind)
    {
        string link = Path.Combine(_folder.Path, path);
        Directory.CreateDirectory(Path.GetDirectoryName(link)!);
        File.CreateSymbolicLink(link, $"/proc/self/ns/{kind}");
    }

    private static ulong Inode(string path)
    {
        int fd = Fcntl.Open(Fcntl.AT_FDCWD, [.. Encoding.UTF8.GetBytes(path), 0], Fcntl.O_RDONLY);
        ulong inode = Stat.Inode(fd);
        Assert.Equal(0, Unistd.close(fd));
        return inode;
    }

    /// <summary>The names of those that are found; each is a namespace, open, and closed here.</summary>
    private List<string> Find(params string[] words)
    {
        List<NamespaceFile> found = new NamespaceFinder(Words.Rule([.. words, "-s", "1"]), (operation, errno, subject) => _problems.Add((operation, errno, subject)), _root).Find();
        foreach (NamespaceFile file in found)
        {
            Assert.Equal(Statfs.NSFS_MAGIC, Statfs.TypeOf(file.Descriptor));
            _inodes.Add(Stat.Inode(file.Descriptor));
            Assert.Equal(0, Unistd.close(file.Descriptor));
        }

        return [.. found.Select(static file => Encoding.UTF8.GetString(file.Name))];
    }
}
