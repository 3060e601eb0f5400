using System.Text;
using TcpCloser.Interop;
using TcpCloser.Rules;

namespace TcpCloser.Proc;

/// <summary>
/// The names of cgroups, looked up when one is shown for the first time: a round that shows none reads nothing. No daemon is asked, and
/// no privilege is needed.
/// </summary>
/// <param name="root">The directory with /proc, /var and the mount points; empty: the root directory.</param>
internal sealed class CgroupNames(string root = "")
{
    private readonly Dictionary<ulong, CgroupName> _names = [];
    private PodNames? _pods;

    /// <summary>Whether the tree was read in this round after the sockets were listed, so that reading it again would find no more.</summary>
    private bool _isCurrent;

    public CgroupTree Tree { get; } = new(root);

    /// <summary>The pods that have logs on this machine.</summary>
    public PodNames Pods => _pods ??= PodNames.Read(root);

    /// <summary>Starts a new round. The tree remains: what it knows stays true.</summary>
    public void BeginRound()
    {
        _names.Clear();
        _pods = null;
        _isCurrent = false;
    }

    /// <summary>The name of a cgroup by the id that the kernel reports for a socket.</summary>
    /// <param name="id">0: it was not reported.</param>
    public CgroupName Of(ulong id)
    {
        if (id == 0)
        {
            return CgroupName.Unknown;
        }

        if (!_names.TryGetValue(id, out CgroupName? name))
        {
            name = Find(id);
            _names.Add(id, name);
        }

        return name;
    }

    /// <summary>The name of the cgroup of a process; unknown if that is neither a container nor a pod.</summary>
    public CgroupName ContainerOfProcess(int pid)
    {
        byte[] cgroups = ProcFile.Read(Fcntl.AT_FDCWD, Encoding.UTF8.GetBytes($"{root}/proc/{pid}/cgroup\0"));
        foreach (Range range in cgroups.AsSpan().Split((byte)'\n'))
        {
            // 0::/PATH, and a line for each hierarchy of version 1, such as 4:memory:/PATH.
            ReadOnlySpan<byte> line = cgroups.AsSpan(range);
            int slash = line.IndexOf((byte)'/');
            if (slash >= 0 && CgroupName.Of(line[slash..].ToArray(), Pods.NameOf) is { } name && (name.Container.Length > 0 || name.Pod.Length > 0))
            {
                return name;
            }
        }

        return CgroupName.Unknown;
    }

    /// <summary>
    /// Whether the names of units, containers and pods can be known at all. They cannot if every socket is in the root cgroup, as on a
    /// machine that uses cgroup v1.
    /// </summary>
    public bool HasNames => Tree.Count > 1 || (Tree.Count == 1 && !Tree.IsWhole);

    /// <summary>Reads the tree, unless that was done since the sockets were listed.</summary>
    public void EnsureCurrent()
    {
        if (!_isCurrent)
        {
            Tree.Read();
            _isCurrent = true;
        }
    }

    private CgroupName Find(ulong id)
    {
        int index = Tree.IndexOf(id);
        if (index < 0)
        {
            EnsureCurrent();
            index = Tree.IndexOf(id);
        }

        // The root of a partial view has a name that is not visible here.
        return index < 0 || (index == 0 && !(Tree.IsWhole && HasNames)) ? CgroupName.Unknown : CgroupName.Of(Tree.PathOf(index), Pods.NameOf);
    }
}

/// <summary>The names of pods by their UIDs: the kubelet gives each pod a directory <c>/var/log/pods/NAMESPACE_NAME_UID</c>.</summary>
internal sealed class PodNames
{
    private readonly Dictionary<string, byte[]> _names = [];

    private PodNames(Failure failure) => Failure = failure;

    /// <summary>Why the pods are not known; none also if this machine has no kubelet.</summary>
    public Failure Failure { get; }

    /// <summary>Reads the directory.</summary>
    /// <param name="root">The directory with /var; empty: the root directory.</param>
    public static PodNames Read(string root)
    {
        const string Path = "/var/log/pods";
        int errno = ProcFile.OpenDirectory(Fcntl.AT_FDCWD, Encoding.UTF8.GetBytes($"{root}{Path}\0"), out int directory);
        if (errno != 0)
        {
            return new PodNames(errno is Errno.ENOENT or Errno.ENOTDIR ? default : new Failure(Operation.ListPods, errno, Path));
        }

        var names = new List<byte[]>();
        var buffer = new byte[32 * 1024];
        int length;
        while ((errno = ProcFile.ReadEntries(directory, buffer, out length)) == 0 && length > 0)
        {
            ReadOnlySpan<byte> entries = buffer.AsSpan(0, length);
            while (!entries.IsEmpty)
            {
                ReadOnlySpan<byte> name = ProcFile.TakeName(ref entries);
                names.Add(name[..name.IndexOf((byte)0)].ToArray());
            }
        }

        _ = Unistd.close(directory);
        var pods = new PodNames(Failure.If(Operation.ListPods, errno, Path));
        foreach (byte[] name in names)
        {
            pods.Add(name);
        }

        return pods;
    }

    /// <summary><c>NAMESPACE/NAME</c>; null: there is no such pod.</summary>
    public byte[]? NameOf(byte[] uid) => _names.GetValueOrDefault(Encoding.Latin1.GetString(uid));

    /// <summary>Adds <c>NAMESPACE_NAME_UID</c>, whose parts cannot contain <c>_</c>.</summary>
    private void Add(ReadOnlySpan<byte> directory)
    {
        int first = directory.IndexOf((byte)'_');
        int last = directory.LastIndexOf((byte)'_');
        if (first > 0 && last > first + 1)
        {
            _names[Encoding.Latin1.GetString(directory[(last + 1)..])] = [.. directory[..first], (byte)'/', .. directory[(first + 1)..last]];
        }
    }
}
