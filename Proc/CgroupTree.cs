using System.Text;
using TcpCloser.Interop;
using TcpCloser.Rules;

namespace TcpCloser.Proc;

/// <summary>
/// The cgroups (v2) that are visible here, with their ids (<see cref="CgroupDirectory"/>). The kernel never reuses an id, so one that was
/// read once remains true.
/// </summary>
/// <param name="root">The directory with /proc and the mount points; empty: the root directory.</param>
internal sealed class CgroupTree(string root = "")
{
    /// <summary>PATH_MAX (linux/limits.h): deeper cgroups cannot be opened by their path.</summary>
    private const int MaxPath = 4096;

    /// <summary>Each cgroup after its parent; the first one is the root of what is visible.</summary>
    private readonly List<(ulong Id, int Parent, byte[] Name)> _cgroups = [];

    private readonly Dictionary<ulong, int> _indexes = [];
    /// <summary>Pinned and not cleared: most runs never use it.</summary>
    private readonly byte[] _buffer = GC.AllocateUninitializedArray<byte>(32 * 1024, pinned: true);
    private CgroupMount? _mount;

    /// <summary>Whether all cgroups of the machine are visible. In a private cgroup namespace only those below it are.</summary>
    public bool IsWhole => _mount is { IsWhole: true };

    /// <summary>
    /// Why cgroups are missing in it: ENOENT if no cgroup2 file system is mounted; otherwise the first directory that could not be read.
    /// </summary>
    public Failure Failure { get; private set; }

    public int Count => _cgroups.Count;

    /// <summary>Reads the cgroups that exist now. One that is removed meanwhile is not a failure.</summary>
    public void Read()
    {
        _cgroups.Clear();
        _indexes.Clear();
        Failure = default;
        int errno = OpenMount(out int mount);
        if (errno != 0)
        {
            Failure = new Failure(Operation.ListCgroups, errno);
            return;
        }

        Add(Stat.Inode(mount), parent: 0, []);
        for (int i = 0; i < _cgroups.Count; i++)
        {
            errno = ReadChildren(mount, i);
            if (errno is not (0 or Errno.ENOENT or Errno.ENODEV) && Failure.IsNone)
            {
                Failure = new Failure(Operation.ListCgroups, errno, ShownPath(i));
            }
        }

        _ = Unistd.close(mount);
    }

    /// <summary>The index of a cgroup; -1: there is no such cgroup, or it is not visible.</summary>
    public int IndexOf(ulong id) => _indexes.TryGetValue(id, out int index) ? index : -1;

    public ulong IdOf(int index) => _cgroups[index].Id;

    /// <summary>The name of its directory, without the character that systemd escapes some names by; empty: the root.</summary>
    public ReadOnlySpan<byte> NameOf(int index) => Unescaped(_cgroups[index].Name);

    /// <summary>The index of the cgroup above it, which is lower than its own; that of the root is its own.</summary>
    public int ParentOf(int index) => _cgroups[index].Parent;

    /// <summary>Its path as in /proc/PID/cgroup: <c>/system.slice/nginx.service</c>.</summary>
    public byte[] PathOf(int index)
    {
        int length = 0;
        for (int i = index; i > 0; i = _cgroups[i].Parent)
        {
            length += 1 + _cgroups[i].Name.Length;
        }

        byte[] start = _mount?.Root ?? [];
        var path = new byte[Math.Max(1, start.Length + length)];
        path[0] = (byte)'/';
        start.CopyTo(path, 0);
        int end = path.Length;
        for (int i = index; i > 0; i = _cgroups[i].Parent)
        {
            byte[] name = _cgroups[i].Name;
            end -= name.Length;
            name.CopyTo(path, end);
            path[--end] = (byte)'/';
        }

        return path;
    }

    /// <summary>
    /// The index of the cgroup at a path, as in /proc/PID/cgroup or with the mount point in front of it; -1: there is none.
    /// </summary>
    public int Find(ReadOnlySpan<byte> path)
    {
        if (_mount is not { } mount)
        {
            return -1;
        }

        int index = IsBelow(path, mount.Point) ? Descend(path[mount.Point.Length..]) : -1;
        return index < 0 && IsBelow(path, mount.Root) ? Descend(path[mount.Root.Length..]) : index;
    }

    /// <summary>
    /// Without the <c>_</c> that systemd puts in front of a name that could be mistaken for a file of the kernel, such as that of
    /// <c>memory.service</c> (cg_escape).
    /// </summary>
    public static ReadOnlySpan<byte> Unescaped(ReadOnlySpan<byte> name) => name.Length > 1 && name[0] == '_' ? name[1..] : name;

    private static bool IsBelow(ReadOnlySpan<byte> path, ReadOnlySpan<byte> top) =>
        path.StartsWith(top) && (path.Length == top.Length || path[top.Length] == '/');

    private int Descend(ReadOnlySpan<byte> path)
    {
        int index = _cgroups.Count > 0 ? 0 : -1;
        foreach (Range range in path.Split((byte)'/'))
        {
            ReadOnlySpan<byte> name = path[range];
            if (!name.IsEmpty && index >= 0)
            {
                index = Child(index, name);
            }
        }

        return index;
    }

    private int Child(int parent, ReadOnlySpan<byte> name)
    {
        for (int i = parent + 1; i < _cgroups.Count; i++)
        {
            if (_cgroups[i].Parent == parent && name.SequenceEqual(_cgroups[i].Name))
            {
                return i;
            }
        }

        return -1;
    }

    private void Add(ulong id, int parent, byte[] name)
    {
        if (_indexes.TryAdd(id, _cgroups.Count))
        {
            _cgroups.Add((id, parent, name));
        }
    }

    /// <summary>Adds the directories in a cgroup. Returns 0 or the errno; EXDEV if another file system is mounted on it.</summary>
    private int ReadChildren(int mount, int index)
    {
        ReadOnlySpan<byte> path = RelativePath(index);
        int directory = -1;
        int errno = path.IsEmpty ? Errno.ENAMETOOLONG : ProcFile.OpenDirectory(mount, path, out directory);
        if (errno != 0)
        {
            return errno;
        }

        if (Stat.Identity(directory).Device != _mount!.Device)
        {
            _ = Unistd.close(directory);
            return Errno.EXDEV;
        }

        int length;
        while ((errno = ProcFile.ReadEntries(directory, _buffer, out length)) == 0 && length > 0)
        {
            ReadOnlySpan<byte> entries = _buffer.AsSpan(0, length);
            while (!entries.IsEmpty)
            {
                ReadOnlySpan<byte> name = ProcFile.TakeDirectory(ref entries, out ulong inode);
                if (!name.IsEmpty)
                {
                    Add(inode, index, name.ToArray());
                }
            }
        }

        _ = Unistd.close(directory);
        return errno;
    }

    /// <summary>The path for a message, cut where it is long.</summary>
    private string ShownPath(int index)
    {
        const int MaxShown = 200;
        ReadOnlySpan<byte> path = PathOf(index);
        return path.Length <= MaxShown ? Escape.Text(path) : Escape.Text(path[..MaxShown]) + "...";
    }

    /// <summary>The path below the mount point, with a NUL; empty: it is longer than the kernel accepts.</summary>
    private ReadOnlySpan<byte> RelativePath(int index)
    {
        int end = MaxPath + 1;
        Span<byte> path = _buffer.AsSpan(0, end);
        path[--end] = 0;
        for (int i = index; i > 0; i = _cgroups[i].Parent)
        {
            if (end <= _cgroups[i].Name.Length)
            {
                return [];
            }

            end -= _cgroups[i].Name.Length;
            _cgroups[i].Name.CopyTo(path[end..]);
            path[--end] = (byte)'/';
        }

        return index == 0 ? ".\0"u8 : path[(end + 1)..];
    }

    /// <summary>Opens the mount point that shows most. Returns 0 or the errno.</summary>
    private int OpenMount(out int fd)
    {
        fd = -1;
        if (_mount is { } known && known.Open(root, out fd) == 0)
        {
            return 0;
        }

        _mount = null;
        int errno = ProcFile.Read(Fcntl.AT_FDCWD, Encoding.UTF8.GetBytes(root + "/proc/self/mountinfo\0"), out byte[] mounts);
        foreach (Range line in mounts.AsSpan().Split((byte)'\n'))
        {
            if (CgroupMount.Parse(mounts.AsSpan(line)) is { } mount && (_mount is null || !IsWhole) && mount.Open(root, out int opened) == 0)
            {
                mount.IsWhole = Stat.Links(opened, "cgroup.events\0"u8) == 0; // the root cgroup alone does not have it
                _ = Unistd.close(opened);
                _mount = _mount is null || mount.IsWhole ? mount : _mount;
            }
        }

        return _mount is { } found ? found.Open(root, out fd) : errno != 0 ? errno : Errno.ENOENT;
    }
}
