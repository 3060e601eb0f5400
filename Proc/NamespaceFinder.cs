using System.Runtime.InteropServices;
using System.Text;
using TcpCloser.Cli;
using TcpCloser.Interop;

namespace TcpCloser.Proc;

/// <summary>
/// Finds the network namespaces that <c>--netns</c> and <c>--all-netns</c> mean, each once, by the inode of its file in nsfs. Of
/// those that were not named, one that ended meanwhile, or is not finished being made, is no problem.
/// </summary>
/// <param name="rule">What names them.</param>
/// <param name="problem">Is told what could not be looked at: the operation, the errno, and what it was tried on.</param>
/// <param name="root">The folder that has /run and /proc; empty: the machine's own.</param>
internal sealed class NamespaceFinder(Rule rule, Action<Operation, int, string> problem, string root = "")
{
    private readonly HashSet<ulong> _seen = [];
    private readonly List<NamespaceFile> _found = [];

    /// <summary>Opens those that there are now, in the order they were named or found. Whoever calls closes them.</summary>
    public List<NamespaceFile> Find()
    {
        foreach (string name in rule.Netns)
        {
            AddNamed(name);
        }

        if (rule.AllNetns)
        {
            AddFolder(root + "/run/netns/", fullName: false);
            AddFolder(root + "/run/docker/netns/", fullName: true);
            int errno = Add([.. "self"u8], Encoding.UTF8.GetBytes(root + "/proc/self/ns/net"), mayBeUnfinished: false);
            if (errno != 0)
            {
                problem(Operation.OpenNamespace, errno, "/proc/self/ns/net");
            }

            AddProcesses();
        }

        return _found;
    }

    private void AddNamed(string name)
    {
        string path = name.StartsWith("pid:", StringComparison.Ordinal) ? $"{root}/proc/{name[4..]}/ns/net"
            : name.Contains('/') ? name
            : $"{root}/run/netns/{name}";
        int errno = Add(Encoding.UTF8.GetBytes(name), Encoding.UTF8.GetBytes(path), mayBeUnfinished: false);
        if (errno != 0)
        {
            problem(Operation.OpenNamespace, errno, Escape.Text(name.StartsWith("pid:", StringComparison.Ordinal) ? name : path));
        }
    }

    /// <summary>Adds the namespace of a file, if it is not there already. Returns 0 or the errno; EINVAL where it is no namespace.</summary>
    private int Add(byte[] name, byte[] path, bool mayBeUnfinished)
    {
        int fd = Open(path);

        // Of a process that ended on the way through the path the kernel says EACCES (proc_ns_get_link), and ENOENT when it is asked anew.
        fd = fd == -Errno.EACCES ? Open(path) : fd;
        if (fd < 0)
        {
            return -fd;
        }

        // Without its number it could be one that is there already, and then all in it would be closed and counted twice.
        long type = Statfs.TypeOf(fd);
        bool isNamespace = type == Statfs.NSFS_MAGIC;
        ulong inode = isNamespace ? Stat.Inode(fd) : 0;
        if (type == 0 || (isNamespace && inode == 0))
        {
            int errno = Marshal.GetLastPInvokeError();
            _ = Unistd.close(fd);
            return errno;
        }

        if (isNamespace && _seen.Add(inode))
        {
            _found.Add(new NamespaceFile(name, fd));
            return 0;
        }

        // ip-netns(8) makes a plain file first, and mounts the namespace on it.
        _ = Unistd.close(fd);
        return isNamespace || mayBeUnfinished ? 0 : Errno.EINVAL;
    }

    private static int Open(byte[] path) => Fcntl.Open(Fcntl.AT_FDCWD, [.. path, 0], Fcntl.O_RDONLY | Fcntl.O_NONBLOCK);

    /// <summary>Adds one that was not named.</summary>
    private void AddFound(byte[] name, byte[] path)
    {
        int errno = Add(name, path, mayBeUnfinished: true);
        if (errno is not (0 or Errno.ENOENT or Errno.ESRCH))
        {
            problem(Operation.OpenNamespace, errno, Escape.Text(path));
        }
    }

    private void AddFolder(string folder, bool fullName)
    {
        byte[] start = Encoding.UTF8.GetBytes(folder);
        foreach (byte[] name in Names(folder))
        {
            byte[] path = [.. start, .. name];
            AddFound(fullName ? path : name, path);
        }
    }

    private void AddProcesses()
    {
        string folder = root + "/proc/";
        byte[] start = Encoding.UTF8.GetBytes(folder);
        foreach (byte[] name in Names(folder))
        {
            if (Array.TrueForAll(name, static letter => char.IsAsciiDigit((char)letter)))
            {
                AddFound([.. "pid:"u8, .. name], [.. start, .. name, .. "/ns/net"u8]);
            }
        }
    }

    private List<byte[]> Names(string folder)
    {
        var names = new List<byte[]>();
        int directory = ProcFile.OpenDirectory(Fcntl.AT_FDCWD, Encoding.UTF8.GetBytes(folder + '\0'));
        int length = directory;
        var buffer = new byte[16 * 1024];
        while (directory >= 0 && (length = ProcFile.ReadEntries(directory, buffer)) > 0)
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

        if (length < 0 && length != -Errno.ENOENT)
        {
            problem(Operation.ListNamespaces, -length, folder);
        }

        return names;
    }
}
