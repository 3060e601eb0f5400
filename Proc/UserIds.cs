using System.Buffers.Text;

namespace TcpCloser.Proc;

/// <summary>The user ids of the program's user namespace (user_namespaces(7)).</summary>
internal static class UserIds
{
    /// <summary>One past the highest uid. 4294967295 is not a uid.</summary>
    private const ulong End = uint.MaxValue;

    /// <summary>The default of the sysctl overflowuid.</summary>
    private const uint DefaultOverflow = 65534;

    /// <summary>
    /// The uid that stands for all users that the user namespace does not map; null: it maps all users, and then this uid is an
    /// ordinary user (nobody). If the map cannot be read, users are assumed to be unmapped.
    /// </summary>
    /// <param name="proc">The descriptor of /proc.</param>
    public static uint? Overflow(int proc) => Overflow(ProcFile.Read(proc, "self/uid_map\0"u8), ProcFile.Read(proc, "sys/kernel/overflowuid\0"u8));

    /// <summary>The uid that stands for unmapped users, from the texts of the two files; null: all users are mapped.</summary>
    public static uint? Overflow(ReadOnlySpan<byte> uidMap, ReadOnlySpan<byte> overflowUid) =>
        MapsAll(uidMap) ? null
        : Utf8Parser.TryParse(overflowUid, out uint uid, out _) ? uid
        : DefaultOverflow;

    /// <summary>
    /// Whether the map has no gap. Each line is a range: the first uid inside, the first uid outside, the number of uids.
    /// </summary>
    private static bool MapsAll(ReadOnlySpan<byte> uidMap)
    {
        var ranges = new List<(ulong First, ulong End)>();
        foreach (Range line in uidMap.Split((byte)'\n'))
        {
            ReadOnlySpan<byte> rest = uidMap[line];
            if (TryTake(ref rest, out uint first) && TryTake(ref rest, out _) && TryTake(ref rest, out uint count))
            {
                ranges.Add((first, (ulong)first + count));
            }
        }

        ranges.Sort();
        ulong mapped = 0;
        foreach ((ulong first, ulong end) in ranges)
        {
            mapped = first <= mapped ? Math.Max(mapped, end) : mapped;
        }

        return mapped >= End;
    }

    private static bool TryTake(ref ReadOnlySpan<byte> line, out uint number)
    {
        line = line.TrimStart((byte)' ');
        bool found = Utf8Parser.TryParse(line, out number, out int used);
        line = line[used..];
        return found;
    }
}
