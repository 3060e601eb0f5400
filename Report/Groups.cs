using System.Runtime.InteropServices;
using System.Text;
using TcpCloser.Diag;
using TcpCloser.Kill;
using TcpCloser.Rules;

namespace TcpCloser.Report;

/// <summary>Groups connections by a key.</summary>
/// <param name="countsVerdicts">Whether the peers were probed.</param>
/// <param name="round">The context for looking up ports and processes.</param>
internal sealed class Groups(GroupKey by, bool countsVerdicts, RoundContext round)
{
    /// <summary>The groups, those with the most idle connections first; if the peers were probed, those with the most silent ones.</summary>
    /// <exception cref="SystemCallException">The listeners could not be listed.</exception>
    public List<Group> Count(ConnectionList connections)
    {
        var keys = new GroupKeys(by, round, connections);
        var groups = new Dictionary<string, Group>();
        for (int i = 0; i < connections.Count; i++)
        {
            if (OutcomeInfo.Of(connections[i].Outcome).Counted is Counted.Closed or Counted.Vanished)
            {
                continue; // it ended during the probe
            }

            ReadOnlySpan<byte> key = keys.Of(connections, i);
            ref Group? group = ref CollectionsMarshal.GetValueRefOrAddDefault(groups, Encoding.Latin1.GetString(key), out _);
            group ??= new Group(key.ToArray());
            group.Add(connections[i].IdleMs, connections[i].Outcome);
        }

        var sorted = new List<Group>(groups.Values);
        sorted.Sort(countsVerdicts ? Group.CompareBySilence : Group.CompareByAge);
        return sorted;
    }
}

/// <summary>Connections with the same key, counted by age and verdict.</summary>
internal sealed class Group(byte[] key)
{
    /// <summary>The lower bound of each age span in milliseconds.</summary>
    private static readonly uint[] s_ages = [0, 60_000, 600_000, 3_600_000, 86_400_000];

    private readonly long[] _counts = new long[s_ages.Length];

    /// <summary>The key as text; it may contain the name of a process, which may be any bytes.</summary>
    public byte[] Key { get; } = key;

    /// <summary>The number of connections, including those without a usable clock.</summary>
    public long Total { get; private set; }

    /// <summary>The number of connections in each age span: under 1 minute, and from 1 minute, 10 minutes, 1 hour and 1 day.</summary>
    public ReadOnlySpan<long> Counts => _counts;

    public long Answered { get; private set; }

    /// <summary>Probed, and no answer.</summary>
    public long Silent { get; private set; }

    public long Unproved { get; private set; }

    public long Unasked { get; private set; }

    /// <summary>The highest age in milliseconds; <see cref="Connection.UnknownAge"/>: no connection has a usable clock.</summary>
    public uint Oldest { get; private set; } = Connection.UnknownAge;

    public void Add(uint ageMs, Outcome outcome)
    {
        Total++;
        switch (OutcomeInfo.Of(outcome).Counted)
        {
            case Counted.Idle:
                Silent++;
                break;
            case Counted.Answered:
                Answered++;
                break;
            case Counted.Unproved:
                Unproved++;
                break;
            case Counted.Unasked:
                Unasked++;
                break;
            case Counted.Matched or Counted.OverLimit or Counted.Closed or Counted.Cured or Counted.Vanished or Counted.Spared or Counted.Failed:
                break; // no verdict
        }

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

    /// <summary>More silent connections come first; groups with the same number are compared by age.</summary>
    public static int CompareBySilence(Group a, Group b) => a.Silent != b.Silent ? b.Silent.CompareTo(a.Silent) : CompareByAge(a, b);

    /// <summary>More connections in the highest age span come first; if all spans are equal, more connections in total.</summary>
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
