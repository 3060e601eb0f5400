using System.Text;
using TcpCloser.Interop;

namespace TcpCloser.Proc;

/// <summary>
/// A value of <c>--cgroup</c> or <c>--not-cgroup</c>: a path as /proc/PID/cgroup or the file system spells it, the name of a unit, or the
/// first digits of a container's id.
/// </summary>
internal sealed class CgroupPattern
{
    /// <summary>The message for an invalid value.</summary>
    public const string Wanted = "a cgroup is a directory on the cgroup2 file system, such as /sys/fs/cgroup/system.slice or /system.slice/nginx.service, " +
        "or the name of a unit, such as nginx.service, or 12 or more digits of a container's ID";

    private readonly byte[] _text;
    private readonly byte[] _container;

    private CgroupPattern(byte[] text, byte[] container) => (_text, _container) = (text, container);

    private bool IsPath => _text.Length > 0 && _text[0] == '/';

    /// <summary>Parses a value; null: it cannot be a cgroup.</summary>
    public static CgroupPattern? Parse(string value)
    {
        ReadOnlySpan<byte> text = Encoding.UTF8.GetBytes(value);
        text = text.StartsWith("0::/"u8) ? text["0::".Length..] : text;
        if (text.StartsWith("/"u8))
        {
            return text.IndexOfAnyExcept("/"u8) < 0 ? null : new CgroupPattern(text.ToArray(), []);
        }

        // docker://ID, as kubectl(1) prints it.
        int scheme = text.IndexOf("://"u8);
        ReadOnlySpan<byte> name = scheme < 0 ? text : text[(scheme + "://".Length)..];
        ReadOnlySpan<byte> container = CgroupName.ContainerOf(name, CgroupName.ShownDigits);
        bool isName = !name.IsEmpty && !name.Contains((byte)'/') && !name.SequenceEqual("."u8) && !name.SequenceEqual(".."u8);
        return isName && (scheme < 0 || !container.IsEmpty) ? new CgroupPattern(name.ToArray(), container.ToArray()) : null;
    }

    /// <summary>
    /// Whether it is a path to something other than a cgroup, which is a mistake. A path that does not exist is not one: the cgroup may be
    /// created later.
    /// </summary>
    public bool IsOtherFile()
    {
        if (!IsPath || CgroupDirectory.Find(_text, out _) != Errno.EINVAL)
        {
            return false;
        }

        var tree = new CgroupTree();
        tree.Read();
        return tree.Find(_text) < 0;
    }

    /// <summary>Adds the ids of the cgroups that it names, and of all cgroups below them.</summary>
    /// <returns>0 or the errno: ENOENT or ENOTDIR if there is none; EINVAL if the path is not a cgroup.</returns>
    public int AddIds(CgroupTree tree, HashSet<ulong> ids)
    {
        int top = -1;
        bool isFound = false;
        if (IsPath && (top = tree.Find(_text)) < 0)
        {
            int errno = CgroupDirectory.Find(_text, out ulong id);
            if (errno != 0)
            {
                return errno;
            }

            ids.Add(id);
            isFound = true;
            top = tree.IndexOf(id);
        }

        var isSelected = new bool[tree.Count];
        for (int i = 0; i < isSelected.Length; i++)
        {
            isSelected[i] = i == top || (i > 0 && (isSelected[tree.ParentOf(i)] || MatchesName(tree.NameOf(i))));
            if (isSelected[i])
            {
                ids.Add(tree.IdOf(i));
                isFound = true;
            }
        }

        return isFound ? 0 : Errno.ENOENT;
    }

    private bool MatchesName(ReadOnlySpan<byte> name) => !IsPath && (name.SequenceEqual(_text)
        || (_container.Length > 0 && CgroupName.ContainerOf(name, CgroupName.ShownDigits).StartsWith(_container)));
}

/// <summary>A value of <c>--pod</c>: <c>NAMESPACE/NAME</c>, each of which may end in <c>*</c>.</summary>
internal sealed class PodPattern
{
    /// <summary>The message for an invalid value.</summary>
    public const string Wanted = "expected NAMESPACE/NAME, such as default/web-0, each of which may end in *";

    private readonly byte[] _namespace;
    private readonly byte[] _name;

    private PodPattern(byte[] ofNamespace, byte[] name) => (_namespace, _name) = (ofNamespace, name);

    /// <summary>Parses a value; null: it cannot be a pod.</summary>
    public static PodPattern? Parse(string value)
    {
        string[] parts = value.Split('/');
        return parts.Length == 2 && IsValid(parts[0]) && IsValid(parts[1])
            ? new PodPattern(Encoding.ASCII.GetBytes(parts[0]), Encoding.ASCII.GetBytes(parts[1]))
            : null;
    }

    /// <param name="pod"><c>NAMESPACE/NAME</c>, or a UID, which matches nothing.</param>
    public bool Matches(ReadOnlySpan<byte> pod)
    {
        int slash = pod.IndexOf((byte)'/');
        return slash > 0 && Matches(_namespace, pod[..slash]) && Matches(_name, pod[(slash + 1)..]);
    }

    /// <summary>Whether it is a name of Kubernetes (RFC 1123), or the beginning of one with <c>*</c>.</summary>
    private static bool IsValid(string part)
    {
        foreach (char c in part.EndsWith('*') ? part[..^1] : part)
        {
            if (!char.IsAsciiLetterLower(c) && !char.IsAsciiDigit(c) && c is not ('-' or '.'))
            {
                return false;
            }
        }

        return part.Length > 0;
    }

    private static bool Matches(ReadOnlySpan<byte> pattern, ReadOnlySpan<byte> text) =>
        pattern[^1] == '*' ? text.StartsWith(pattern[..^1]) : text.SequenceEqual(pattern);
}
