using TcpCloser.Diag;

namespace TcpCloser.Report;

/// <summary>Connections that have something in common, counted by their age.</summary>
internal sealed class Group(byte[] key)
{
    /// <summary>From which age on a connection belongs to each of the counts, in milliseconds.</summary>
    private static readonly uint[] s_ages = [0, 60_000, 600_000, 3_600_000, 86_400_000];

    private readonly long[] _counts = new long[s_ages.Length];

    /// <summary>What they have in common, as text; the name of a process in it is any bytes.</summary>
    public byte[] Key { get; } = key;

    /// <summary>All of them, also those without a usable clock.</summary>
    public long Total { get; private set; }

    /// <summary>How many are in each span of age: below a minute, from 1 minute, 10 minutes, an hour and a day on.</summary>
    public ReadOnlySpan<long> Counts => _counts;

    /// <summary>The highest age, in milliseconds; <see cref="Connection.UnknownAge"/>: none has a usable clock.</summary>
    public uint Oldest { get; private set; } = Connection.UnknownAge;

    public void Add(uint ageMs)
    {
        Total++;
        if (ageMs == Connection.UnknownAge)
        {
            return;
        }

        Oldest = Oldest == Connection.UnknownAge ? ageMs : Math.Max(Oldest, ageMs);
        int span = s_ages.Length - 1;
        while (ageMs < s_ages[span])
        {
            span--;
        }

        _counts[span]++;
    }

    /// <summary>Puts the one first that has more connections of a great age; of two alike, the one that has more at all.</summary>
    public static int CompareByAge(Group a, Group b)
    {
        for (int span = s_ages.Length - 1; span > 0; span--)
        {
            if (a._counts[span] != b._counts[span])
            {
                return b._counts[span].CompareTo(a._counts[span]);
            }
        }

        return a.Total != b.Total ? b.Total.CompareTo(a.Total) : a.Key.AsSpan().SequenceCompareTo(b.Key);
    }
}
