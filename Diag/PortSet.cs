using TcpCloser.Rules;

namespace TcpCloser.Diag;

/// <summary>A set of ports in host byte order: merged ranges for the kernel's filter, and a bitmap of 65,536 bits for lookups.</summary>
internal sealed class PortSet
{
    private readonly ulong[] _map = new ulong[65536 / 64];

    /// <param name="ranges">In any order, overlapping or not; at least one.</param>
    public PortSet(IReadOnlyList<PortRange> ranges)
    {
        var sorted = new PortRange[ranges.Count];
        for (int i = 0; i < sorted.Length; i++)
        {
            sorted[i] = ranges[i];
        }

        Array.Sort(sorted, static (a, b) => a.First.CompareTo(b.First));
        int last = 0;
        foreach (PortRange range in sorted)
        {
            // Adjacent ranges are merged, too: 22,23 is the range 22-23.
            if (range.First <= sorted[last].Last + 1)
            {
                sorted[last] = new PortRange(sorted[last].First, Math.Max(sorted[last].Last, range.Last));
            }
            else
            {
                sorted[++last] = range;
            }
        }

        Ranges = sorted.AsMemory(0, last + 1);
        foreach (PortRange range in Ranges.Span)
        {
            for (int port = range.First; port <= range.Last; port++)
            {
                _map[port >> 6] |= 1UL << port;
            }
        }
    }

    /// <summary>Sorted, disjoint, not adjacent.</summary>
    public ReadOnlyMemory<PortRange> Ranges { get; }

    /// <summary>The only port of the set; 0 if it has more than one.</summary>
    public ushort Single => Ranges.Length == 1 && Ranges.Span[0].First == Ranges.Span[0].Last ? Ranges.Span[0].First : (ushort)0;

    public bool Contains(ushort port) => (_map[port >> 6] & 1UL << port) != 0;
}
