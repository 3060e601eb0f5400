namespace TcpCloser.Proc;

/// <summary>What a cgroup is, by the names in its path: a unit of systemd, a container, a pod. The names may be any bytes.</summary>
internal sealed class CgroupName
{
    /// <summary>The hexadecimal digits of a container's id that container engines show.</summary>
    public const int ShownDigits = 12;

    /// <summary>The hexadecimal digits of a whole id.</summary>
    private const int AllDigits = 64;

    private const int UuidLength = 36;

    /// <summary>Kubelets name static pods by an MD5 sum.</summary>
    private const int Md5Length = 32;

    /// <summary>A cgroup that is not known.</summary>
    public static CgroupName Unknown { get; } = new();

    /// <summary>Whether the cgroup is known. If it is, an empty name means that there is none.</summary>
    public bool IsKnown => Path.Length > 0;

    /// <summary>The path as in /proc/PID/cgroup; empty: unknown.</summary>
    public byte[] Path { get; private init; } = [];

    /// <summary>
    /// The innermost unit, or else the innermost slice; empty: none. A scope that is a container is not a unit, and units around a
    /// container count only if it runs directly in one of them, as Podman's do with <c>--cgroups=split</c>.
    /// </summary>
    public byte[] Unit { get; private init; } = [];

    /// <summary>The first digits of the innermost container's id, or the name of an LXC container; empty: none.</summary>
    public byte[] Container { get; private init; } = [];

    /// <summary>The UID of the pod; empty: none.</summary>
    public byte[] PodUid { get; private init; } = [];

    /// <summary><c>NAMESPACE/NAME</c> of the pod, or else its UID; empty: none.</summary>
    public byte[] Pod { get; private init; } = [];

    /// <summary>The name that says most: the pod's, the container's or the unit's; empty: none.</summary>
    public byte[] Shown => Pod.Length > 0 ? Pod : Container.Length > 0 ? Container : Unit;

    /// <param name="path">An absolute path.</param>
    /// <param name="podName">Returns the name of a pod by its UID; null: unknown.</param>
    public static CgroupName Of(byte[] path, Func<byte[], byte[]?> podName)
    {
        ReadOnlySpan<byte> unit = [];
        ReadOnlySpan<byte> slice = [];
        ReadOnlySpan<byte> container = [];
        byte[] pod = [];
        bool isBelowKubepods = false;
        bool isUnitAbove = false;
        foreach (Range range in path.AsSpan().Split((byte)'/'))
        {
            ReadOnlySpan<byte> name = CgroupTree.Unescaped(path.AsSpan(range));
            bool isUnit = IsUnit(name);
            if (PodUidOf(name, isBelowKubepods) is { Length: > 0 } uid)
            {
                pod = uid;
                unit = slice = container = [];
            }
            else if (ContainerOf(name, AllDigits) is { IsEmpty: false } id)
            {
                container = IsId(id, AllDigits) ? id[..ShownDigits] : id;
                unit = isUnitAbove ? unit : [];
                slice = [];
                isUnit = false;
            }
            else if (name.EndsWith(".slice"u8))
            {
                slice = name;
            }
            else if (isUnit)
            {
                unit = name;
            }

            isUnitAbove = isUnit;
            isBelowKubepods |= name.EndsWith("kubepods"u8);
        }

        return new CgroupName
        {
            Path = path,
            Unit = !unit.IsEmpty ? unit.ToArray() : slice.ToArray(),
            Container = container.ToArray(),
            PodUid = pod,
            Pod = pod.Length > 0 ? podName(pod) ?? pod : [],
        };
    }

    /// <summary>
    /// The id of the container that a cgroup of that name is, as docker (<c>docker-ID.scope</c>, <c>ID</c>), containerd
    /// (<c>cri-containerd-ID.scope</c>), CRI-O (<c>crio-ID.scope</c>) and Podman (<c>libpod-ID.scope</c>) name it, or the name of an LXC
    /// container; empty: it is not a container.
    /// </summary>
    /// <param name="minDigits">The minimum number of digits of an id.</param>
    public static ReadOnlySpan<byte> ContainerOf(ReadOnlySpan<byte> name, int minDigits)
    {
        ReadOnlySpan<byte> lxc = "lxc.payload."u8;
        if (name.StartsWith(lxc))
        {
            return name[lxc.Length..];
        }

        bool isScope = name.EndsWith(".scope"u8);
        name = isScope ? name[..^".scope"u8.Length] : name;
        int dash = name.LastIndexOf((byte)'-');
        ReadOnlySpan<byte> id = name[(dash + 1)..];

        // The monitor of a container is not in it.
        bool isContainer = IsId(id, minDigits) && (dash >= 0 || !isScope) && !name[..(dash + 1)].EndsWith("conmon-"u8);
        return isContainer ? id : [];
    }

    /// <summary>Whether the text is the first digits of a container's id.</summary>
    public static bool IsId(ReadOnlySpan<byte> text, int minDigits) =>
        text.Length >= minDigits && text.Length <= AllDigits && IsHexadecimal(text);

    /// <summary>
    /// The UID of the pod that a cgroup of that name is: with systemd <c>kubepods-burstable-podUID.slice</c>, whose UID has <c>_</c> for
    /// <c>-</c>; without it <c>podUID</c> below <c>kubepods</c>.
    /// </summary>
    private static byte[] PodUidOf(ReadOnlySpan<byte> name, bool isBelowKubepods)
    {
        ReadOnlySpan<byte> prefix = "pod"u8;
        ReadOnlySpan<byte> uid = [];
        if (name.EndsWith(".slice"u8) && name.IndexOf("kubepods"u8) >= 0)
        {
            int start = name.LastIndexOf("-pod"u8);
            uid = start >= 0 ? name[(start + 1 + prefix.Length)..^".slice"u8.Length] : [];
        }
        else if (isBelowKubepods && name.StartsWith(prefix))
        {
            uid = name[prefix.Length..];
        }

        byte[] text = uid.ToArray();
        text.AsSpan().Replace((byte)'_', (byte)'-');
        return IsUid(text) ? text : [];
    }

    private static bool IsUid(ReadOnlySpan<byte> text)
    {
        if (text.Length == Md5Length)
        {
            return IsHexadecimal(text);
        }

        // 8f1c2d3e-4a5b-6c7d-8e9f-0a1b2c3d4e5f
        return text.Length == UuidLength && text[8] == '-' && text[13] == '-' && text[18] == '-' && text[23] == '-'
            && IsHexadecimal(text[..8]) && IsHexadecimal(text[9..13]) && IsHexadecimal(text[14..18]) && IsHexadecimal(text[19..23])
            && IsHexadecimal(text[24..]);
    }

    private static bool IsHexadecimal(ReadOnlySpan<byte> text)
    {
        foreach (byte digit in text)
        {
            if (!char.IsAsciiHexDigitLower((char)digit))
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>Whether it is the name of a unit that has a cgroup (systemd.unit(5)), other than a slice.</summary>
    private static bool IsUnit(ReadOnlySpan<byte> name) =>
        name.EndsWith(".service"u8) || name.EndsWith(".scope"u8) || name.EndsWith(".socket"u8) || name.EndsWith(".mount"u8)
        || name.EndsWith(".swap"u8);
}
