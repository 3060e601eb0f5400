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
        List<NamespaceFile> found = new NamespaceFinder(Words.Rule([.. words, "-s", "1"]), (operation, errno, subject) => _problems.Add((operation, errno, subject))).Find();
        foreach (NamespaceFile file in found)
        {
            Assert.Equal(Statfs.NSFS_MAGIC, Statfs.TypeOf(file.Descriptor));
            _inodes.Add(Stat.Inode(file.Descriptor));
            Assert.Equal(0, Unistd.close(file.Descriptor));
        }

        return [.. found.Select(static file => Encoding.UTF8.GetString(file.Name))];
    }
}
