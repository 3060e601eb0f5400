using System.Buffers.Text;
using System.Runtime.InteropServices;
using System.Text;
using TcpCloser.Interop;
using TcpCloser.Rules;

namespace TcpCloser.Proc;

/// <summary>
/// Finds the network namespaces that <c>--netns</c> and <c>--all-netns</c> select, each once, by the inode of its file in nsfs. It is
/// not a problem if a namespace that was not named has ended or is not fully created yet.
/// </summary>
/// <param name="own">The program's own namespace.</param>
/// <param name="problem">Receives failures.</param>
/// <param name="root">The directory with /run and /proc; empty: the root directory.</param>
internal sealed class NamespaceFinder(Rule rule, OpenedFile own, Action<Failure> problem, string root = "")
{
    private readonly ulong _ownInode = own.Errno != 0 ? 0 : Stat.Inode(own.Descriptor);

    /// <summary>By inode, where a namespace is in <see cref="_found"/>.</summary>
    private readonly Dictionary<ulong, int> _seen = [];
    private readonly List<NamespaceFile> _found = [];

    /// <summary>Opens the namespaces that exist now, in the order they were named or found. The caller closes them.</summary>
    public List<NamespaceFile> Find()
    {
        foreach (string name in rule.Netns)
        {
            AddNamed(name);
        }

        if (rule.AllNetns)
        {
            AddDirectory(root + "/run/netns/", fullName: false);
            AddDirectory(root + "/run/docker/netns/", fullName: true);
            int errno = Add([.. "self"u8], own.Duplicate(), mayBeUnfinished: false);
            if (errno != 0)
            {
                problem(new Failure(Operation.OpenNamespace, errno, "/proc/thread-self/ns/net"));
            }

            AddProcesses();
        }

        return _found;
    }

    /// <summary>The number of namespaces other than the program's own that this user can see; 0 if the program's own is unknown.</summary>
    /// <param name="own">The program's own namespace.</param>
    /// <param name="root">The directory with /run and /proc; empty: the root directory.</param>
    public static int CountOthers(OpenedFile own, string root)
    {
        var finder = new NamespaceFinder(new Rule { AllNetns = true }, own, static _ => { }, root);
        List<NamespaceFile> files = finder.Find();
        foreach (NamespaceFile file in files)
        {
            _ = Unistd.close(file.Descriptor);
        }

        return own.Errno == 0 ? files.Count - 1 : 0;
    }

    /// <summary>Whether a process is in a namespace now.</summary>
    public static bool IsIn(int pid, OpenedFile file) =>
        Stat.Inode(file.Descriptor) is > 0 and ulong inode
        && Stat.Inode(Fcntl.AT_FDCWD, Encoding.UTF8.GetBytes($"/proc/{pid}/ns/net\0")) == inode;

    private void AddNamed(string name)
    {
        string path = name.StartsWith("pid:", StringComparison.Ordinal) ? $"{root}/proc/{name[4..]}/ns/net"
            : name.Contains('/') ? name
            : $"{root}/run/netns/{name}";
        int pid = name.StartsWith("pid:", StringComparison.Ordinal) && int.TryParse(name.AsSpan(4), out int number) ? number : 0;
        int errno = Add(Encoding.UTF8.GetBytes(name), Open(Encoding.UTF8.GetBytes(path)), mayBeUnfinished: false, pid);

        // ip-netns(8) creates files that nobody may open; where the mount on such a file is missing, that is not a question of privilege.
        errno = errno == Errno.EACCES && IsPlainFile(Encoding.UTF8.GetBytes(path)) ? Errno.EINVAL : errno;
        if (errno == Errno.ENOENT && path == $"{root}/run/netns/{name}"
            && Stat.Links(Fcntl.AT_FDCWD, Encoding.UTF8.GetBytes($"{root}/run/netns\0")) == 0)
        {
            // In a container without the mount, the name may exist on the host.
            problem(new Failure(Operation.ListNamespaces, errno, $"{root}/run/netns to find '{Escape.Text(name)}'"));
        }
        else if (errno != 0)
        {
            problem(new Failure(Operation.OpenNamespace, errno, Escape.Text(name.StartsWith("pid:", StringComparison.Ordinal) ? name : path)));
        }
    }

    /// <summary>
    /// Adds the namespace of an open file unless it was added before. Returns 0 or the errno; EINVAL if it is not a namespace.
    /// </summary>
    /// <param name="mayBeUnfinished">Whether a file that is not a namespace is ignored instead of an error.</param>
    /// <param name="pid">A process in it; 0: unknown.</param>
    private int Add(byte[] name, OpenedFile file, bool mayBeUnfinished, int pid = 0)
    {
        if (file.Errno != 0)
        {
            return file.Errno;
        }

        int fd = file.Descriptor;

        // A namespace without a known inode may have been added before. Its connections would be closed and counted twice.
        long type = Statfs.TypeOf(fd);
        bool isNamespace = type == Statfs.NSFS_MAGIC;
        ulong inode = isNamespace ? Stat.Inode(fd) : 0;
        if (type == 0 || (isNamespace && inode == 0))
        {
            int errno = Marshal.GetLastPInvokeError();
            _ = Unistd.close(fd);
            return errno;
        }

        if (isNamespace && _seen.TryAdd(inode, _found.Count))
        {
            _found.Add(new NamespaceFile(name, fd, inode == _ownInode, pid));
            return 0;
        }

        if (isNamespace && _found[_seen[inode]] is { Pid: 0 } known)
        {
            _found[_seen[inode]] = known with { Pid = pid };
        }

        // ip-netns(8) first creates a plain file, then mounts the namespace on it.
        _ = Unistd.close(fd);
        return isNamespace || mayBeUnfinished ? 0 : Errno.EINVAL;
    }

    /// <summary>Whether the path is a file, but not a namespace.</summary>
    private static bool IsPlainFile(byte[] path)
    {
        if (Fcntl.Open(Fcntl.AT_FDCWD, [.. path, 0], Fcntl.O_PATH, out int fd) != 0)
        {
            return false;
        }

        bool isPlain = Statfs.TypeOf(fd) is not (0 or Statfs.NSFS_MAGIC);
        _ = Unistd.close(fd);
        return isPlain;
    }

    private static OpenedFile Open(byte[] path)
    {
        var file = OpenedFile.Open([.. path, 0]);

        // If a process ends during the lookup of the path, the kernel returns EACCES (proc_ns_get_link), and ENOENT the second time.
        return file.Errno == Errno.EACCES ? OpenedFile.Open([.. path, 0]) : file;
    }

    /// <summary>Adds a namespace that was not named. Returns 0 or the errno; also 0 if it has ended.</summary>
    private int AddFound(byte[] name, byte[] path, int pid = 0) => Add(name, Open(path), mayBeUnfinished: true, pid) switch
    {
        Errno.ENOENT or Errno.ESRCH => 0,
        int errno => errno,
    };

    private void AddDirectory(string directory, bool fullName)
    {
        byte[] start = Encoding.UTF8.GetBytes(directory);
        foreach (byte[] name in Names(directory))
        {
            byte[] path = [.. start, .. name];
            int errno = AddFound(fullName ? path : name, path);
            if (errno != 0)
            {
                problem(new Failure(Operation.OpenNamespace, errno, Escape.Text(path)));
            }
        }
    }

    /// <summary>
    /// Adds the namespaces of processes. Without privilege most of them cannot be opened, all for the same reason, so they are reported
    /// as one problem.
    /// </summary>
    private void AddProcesses()
    {
        string directory = root + "/proc/";
        byte[] start = Encoding.UTF8.GetBytes(directory);
        var unreadable = new UnreadableProcesses();
        foreach (byte[] name in Names(directory))
        {
            if (Utf8Parser.TryParse(name, out int pid, out int length) && length == name.Length)
            {
                int errno = AddFound([.. "pid:"u8, .. name], [.. start, .. name, .. "/ns/net"u8], pid);
                if (errno != 0)
                {
                    unreadable.Add(pid, new Failure(Operation.OpenNamespace, errno));
                }
            }
        }

        if (unreadable.Count > 0)
        {
            problem(unreadable.Failure);
        }
    }

    private List<byte[]> Names(string path)
    {
        var names = new List<byte[]>();
        int errno = ProcFile.OpenDirectory(Fcntl.AT_FDCWD, Encoding.UTF8.GetBytes(path + '\0'), out int directory);
        var buffer = new byte[16 * 1024];
        while (errno == 0 && (errno = ProcFile.ReadEntries(directory, buffer, out int length)) == 0 && length > 0)
        {
            ReadOnlySpan<byte> entries = buffer.AsSpan(0, length);
            while (!entries.IsEmpty)
            {
                ReadOnlySpan<byte> name = ProcFile.TakeName(ref entries);
                name = name[..name.IndexOf((byte)0)];
                if (!name.SequenceEqual("."u8) && !name.SequenceEqual(".."u8))
                {
                    names.Add(name.ToArray());
                }
            }
        }

        if (directory >= 0)
        {
            _ = Unistd.close(directory);
        }

        if (errno is not (0 or Errno.ENOENT))
        {
            problem(new Failure(Operation.ListNamespaces, errno, path));
        }

        return names;
    }
}

/// <summary>An open network namespace.</summary>
/// <param name="Name">A name in /run/netns, a path or <c>pid:N</c>, in any encoding.</param>
/// <param name="Descriptor">The descriptor of its file. The receiver closes it.</param>
/// <param name="IsOwn">Whether it is the program's own namespace.</param>
/// <param name="Pid">A process that was found in it; 0: unknown.</param>
internal readonly record struct NamespaceFile(byte[] Name, int Descriptor, bool IsOwn, int Pid);

/// <summary>A file that was opened, or why it could not be.</summary>
/// <param name="Errno">0: it is open.</param>
/// <param name="Descriptor">-1: it is not open.</param>
internal readonly record struct OpenedFile(int Errno, int Descriptor)
{
    /// <summary>Opens a file for reading. The path ends with a NUL. Opening a FIFO does not block.</summary>
    public static OpenedFile Open(ReadOnlySpan<byte> path) =>
        new(Fcntl.Open(Fcntl.AT_FDCWD, path, Fcntl.O_RDONLY | Fcntl.O_NONBLOCK, out int fd), fd);

    /// <summary>The same file with another descriptor.</summary>
    public OpenedFile Duplicate() => Errno != 0 ? this : new(Fcntl.Duplicate(Descriptor, out int copy), copy);
}
