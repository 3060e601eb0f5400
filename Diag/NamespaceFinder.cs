using System.Globalization;
using System.Text;
using TcpCloser.Cli;
using TcpCloser.Interop;

namespace TcpCloser.Diag;

/// <summary>Finds the network namespaces that <c>--netns</c> and <c>--all-netns</c> mean, each once, by the inode of its file in nsfs.</summary>
internal sealed class NamespaceFinder
{
    private readonly HashSet<ulong> _seen = [];

    /// <summary>The namespaces, in the order they were named or found.</summary>
    public List<NetworkNamespace> Found { get; } = [];

    /// <summary>Those that were named and cannot be opened: what is wrong, in words.</summary>
    public List<string> Missing { get; } = [];

    /// <summary>How many processes may not be asked for theirs.</summary>
    public int Unreadable { get; private set; }

    public static NamespaceFinder Find(Options options)
    {
        var finder = new NamespaceFinder();
        if (!options.NamesNamespaces)
        {
            finder.Found.Add(new NetworkNamespace());
            return finder;
        }

        foreach (string name in options.Netns)
        {
            finder.AddNamed(name);
        }

        if (options.AllNetns)
        {
            finder.AddFolder("/run/netns/", fullName: false);
            finder.AddFolder("/run/docker/netns/", fullName: true);
            finder.Add("self", "/proc/self/ns/net");
            finder.AddProcesses();
        }

        return finder;
    }

    private void AddNamed(string name)
    {
        string path = name.StartsWith("pid:", StringComparison.Ordinal) ? $"/proc/{name[4..]}/ns/net"
            : name.Contains('/') ? name
            : "/run/netns/" + name;
        int errno = Add(name, path);
        if (errno != 0)
        {
            Missing.Add($"--netns '{Escape.Text(name)}': opening {Escape.Text(path)}: {Errno.Describe(errno)}");
        }
    }

    /// <summary>Adds the namespace of a file, if it is not there already. Returns 0 or the errno of open(2).</summary>
    private int Add(string name, string path)
    {
        int fd = Fcntl.Open(Fcntl.AT_FDCWD, Encoding.UTF8.GetBytes(path + '\0'), Fcntl.O_RDONLY | Fcntl.O_NONBLOCK);
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

    private void AddFolder(string folder, bool fullName)
    {
        foreach (string name in Names(folder))
        {
            _ = Add(fullName ? folder + name : name, folder + name);
        }
    }

    private void AddProcesses()
    {
        foreach (string name in Names("/proc/"))
        {
            if (Digits.TryParse(name, int.MaxValue, out ulong pid))
            {
                int errno = Add(string.Create(CultureInfo.InvariantCulture, $"pid:{pid}"), $"/proc/{pid}/ns/net");
                Unreadable += errno is Errno.EACCES or Errno.EPERM ? 1 : 0;
            }
        }
    }

    private static List<string> Names(string folder)
    {
        var names = new List<string>();
        int directory = ProcFile.OpenDirectory(Fcntl.AT_FDCWD, Encoding.UTF8.GetBytes(folder + '\0'));
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
                string text = Encoding.UTF8.GetString(name[..name.IndexOf((byte)0)]);
                if (text is not ("." or ".."))
                {
                    names.Add(text);
                }
            }
        }

        _ = Unistd.close(directory);
        return names;
    }
}
