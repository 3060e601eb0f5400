using System.Text;
using TcpCloser.Cli;
using TcpCloser.Interop;

namespace TcpCloser.Diag;

/// <summary>Finds the network namespaces that <c>--netns</c> and <c>--all-netns</c> mean, each once, by the inode of its file in nsfs.</summary>
internal sealed class NamespaceFinder(Options options)
{
    private readonly HashSet<ulong> _seen = [];

    /// <summary>The namespaces, in the order they were named or found.</summary>
    public List<NetworkNamespace> Found { get; } = [];

    /// <summary>Those that were named and cannot be opened: what is wrong, in words.</summary>
    public List<string> Missing { get; } = [];

    /// <summary>How many there are, at processes or in folders, that cannot be opened.</summary>
    public int Unreadable { get; private set; }

    /// <summary>Opens those that there are now; <see cref="Close"/> ends it.</summary>
    public void Find()
    {
        if (!options.NamesNamespaces)
        {
            if (Found.Count == 0)
            {
                Found.Add(new NetworkNamespace());
            }

            return;
        }

        foreach (string name in options.Netns)
        {
            AddNamed(name);
        }

        if (options.AllNetns)
        {
            AddFolder("/run/netns/"u8, fullName: false);
            AddFolder("/run/docker/netns/"u8, fullName: true);
            int errno = Add([.. "self"u8], [.. "/proc/self/ns/net"u8]);
            if (errno != 0)
            {
                Missing.Add($"--all-netns: opening /proc/self/ns/net: {Errno.Describe(errno)}; mount /proc");
            }

            AddProcesses();
        }
    }

    /// <summary>Closes what was found, for the next round to look again.</summary>
    public void Close()
    {
        Found.ForEach(static network => network.Dispose());
        if (!options.NamesNamespaces)
        {
            return; // the own one has no descriptor and serves every round
        }

        Found.Clear();
        Missing.Clear();
        _seen.Clear();
        Unreadable = 0;
    }

    private void AddNamed(string name)
    {
        string path = name.StartsWith("pid:", StringComparison.Ordinal) ? $"/proc/{name[4..]}/ns/net"
            : name.Contains('/') ? name
            : "/run/netns/" + name;
        int errno = Add(Encoding.UTF8.GetBytes(name), Encoding.UTF8.GetBytes(path));
        if (errno != 0)
        {
            Missing.Add($"--netns '{Escape.Text(name)}': opening {Escape.Text(path)}: {Errno.Describe(errno)}");
        }
    }

    /// <summary>Adds the namespace of a file, if it is not there already. Returns 0 or the errno of open(2).</summary>
    private int Add(byte[] name, byte[] path)
    {
        int fd = Fcntl.Open(Fcntl.AT_FDCWD, [.. path, 0], Fcntl.O_RDONLY | Fcntl.O_NONBLOCK);
        if (fd < 0)
        {
            return -fd;
        }

        if (_seen.Add(Stat.Inode(fd)))
        {
            Found.Add(new NetworkNamespace(name, fd));
        }
        else
        {
            _ = Unistd.close(fd);
        }

        return 0;
    }

    /// <summary>Adds one that nobody named. One that is gone by now is no news.</summary>
    private void AddFound(byte[] name, byte[] path)
    {
        int errno = Add(name, path);
        Unreadable += errno is 0 or Errno.ENOENT or Errno.ESRCH ? 0 : 1;
    }

    private void AddFolder(ReadOnlySpan<byte> folder, bool fullName)
    {
        foreach (byte[] name in Names(folder))
        {
            byte[] path = [.. folder, .. name];
            AddFound(fullName ? path : name, path);
        }
    }

    private void AddProcesses()
    {
        foreach (byte[] name in Names("/proc/"u8))
        {
            if (Array.TrueForAll(name, static letter => char.IsAsciiDigit((char)letter)))
            {
                AddFound([.. "pid:"u8, .. name], [.. "/proc/"u8, .. name, .. "/ns/net"u8]);
            }
        }
    }

    private static List<byte[]> Names(ReadOnlySpan<byte> folder)
    {
        var names = new List<byte[]>();
        int directory = ProcFile.OpenDirectory(Fcntl.AT_FDCWD, [.. folder, 0]);
        if (directory < 0)
        {
            return names;
        }

        var buffer = new byte[16 * 1024];
        int length;
        while ((length = ProcFile.ReadEntries(directory, buffer)) > 0)
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

        _ = Unistd.close(directory);
        return names;
    }
}
