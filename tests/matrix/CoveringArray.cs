namespace TcpCloser.Matrix;

/// <summary>
/// Rows in which every possible combination of levels within given groups of factors (all pairs, all triples) occurs at least
/// once. Greedy: each row begins with a combination that is still missing, and takes, factor by factor, the level that covers most of the
/// other missing ones. The same seed gives the same rows.
/// </summary>
internal sealed class CoveringArray
{
    /// <summary>The number of candidate rows for one missing combination, of which the best is taken.</summary>
    private const int Attempts = 20;
    private readonly int[][] _groups;
    private readonly List<int>[] _groupsOf;
    private readonly HashSet<int>[] _missing;
    private readonly Random _random;
    private readonly Func<int[], bool> _isPossible;

    private CoveringArray(IEnumerable<int[]> groups, Func<int[], bool> isPossible, Random random)
    {
        _random = random;
        _isPossible = isPossible;
        _groups = [.. groups];
        _groupsOf = [.. Factors.All.Select((_, factor) => Enumerable.Range(0, _groups.Length).Where(group => _groups[group].Contains(factor)).ToList())];
        _missing = [.. _groups.Select(static group => Enumerable.Range(0, group.Aggregate(1, static (size, factor) => size * Factors.All[factor].Levels.Length)).ToHashSet())];
    }

    /// <summary>
    /// Rows that cover all combinations of <paramref name="strength"/> factors. First come rows in which something is closed, then
    /// those in which it must be skipped, those in which it cannot be closed, and the rest: a combination that occurs only in rows where,
    /// for example, nothing is selected has not been tested.
    /// </summary>
    internal static List<Row> Generate(int strength, int seed)
    {
        int[][] groups = [.. Choose([.. Enumerable.Range(0, Factors.All.Length)], strength)];
        Random random = new(seed);
        CoveringArray[] stages =
        [
            new([.. groups, .. Triples(Factors.OutcomeTriples)], Factors.CanClose, random),
            new([.. groups, .. Triples(Factors.SkippingTriples)], Factors.IsDangerous, random),
            new([.. groups, .. Triples(Factors.ReportTriples)], Factors.HasCandidates, random),
            new(groups, Factors.IsPossible, random),
        ];
        List<int[]> rows = [];
        foreach (CoveringArray stage in stages)
        {
            rows.ForEach(stage.MarkCovered);
            while (stage.NextRow() is { } row)
            {
                rows.Add(row);
                stage.MarkCovered(row);
            }
        }

        return [.. rows.Select(static (levels, i) => new Row(i + 1, levels))];

        int[][] Triples(string[][] names) => strength < 3 ? [.. names.Select(static triple => Array.ConvertAll(triple, Factors.IndexOf))] : [];
    }

    private static IEnumerable<int[]> Choose(int[] from, int count) => count == 0
        ? [[]]
        : from.SelectMany((first, i) => Choose(from[(i + 1)..], count - 1).Select(rest => (int[])[first, .. rest]));

    private int[]? NextRow()
    {
        for (int group = 0; group < _groups.Length; group++)
        {
            while (_missing[group].Count > 0)
            {
                int combination = _missing[group].Min();
                int[]? best = null;
                for (int i = 0; i < Attempts; i++)
                {
                    int[] levels = Start(group, combination);
                    if (!Fill(levels))
                    {
                        break; // no possible row has it
                    }

                    best = best is null || Gain(levels) > Gain(best) ? levels : best;
                }

                if (best is not null)
                {
                    return best;
                }

                _missing[group].Remove(combination);
            }
        }

        return null;
    }

    /// <summary>A row in which only one combination of a group is set; -1 stands for the other levels.</summary>
    private int[] Start(int group, int combination)
    {
        int[] levels = [.. Enumerable.Repeat(-1, Factors.All.Length)];
        foreach (int factor in _groups[group].Reverse())
        {
            levels[factor] = combination % Factors.All[factor].Levels.Length;
            combination /= Factors.All[factor].Levels.Length;
        }

        return levels;
    }

    /// <summary>
    /// Sets the other levels, in a random order of the factors. Tries everything before it returns that there is no such
    /// row.
    /// </summary>
    private bool Fill(int[] levels)
    {
        if (!_isPossible(levels))
        {
            return false;
        }

        int[] open = [.. Enumerable.Range(0, levels.Length).Where(factor => levels[factor] < 0)];
        if (open.Length == 0)
        {
            return true;
        }

        int chosen = open[_random.Next(open.Length)];
        int[] order = [.. Enumerable.Range(0, Factors.All[chosen].Levels.Length)];
        _random.Shuffle(order);
        foreach (int level in order.OrderByDescending(level => Gain(levels, chosen, level)))
        {
            levels[chosen] = level;
            if (Fill(levels))
            {
                return true;
            }
        }

        levels[chosen] = -1;
        return false;
    }

    /// <summary>The number of missing combinations that a level would cover, with the levels set so far.</summary>
    private int Gain(int[] levels, int factor, int level)
    {
        int before = levels[factor];
        levels[factor] = level;
        int gain = _groupsOf[factor].Count(group => IsMissing(levels, group));
        levels[factor] = before;
        return gain;
    }

    private int Gain(int[] levels) => Enumerable.Range(0, _groups.Length).Count(group => IsMissing(levels, group));
    private bool IsMissing(int[] levels, int group) => Combination(levels, group) is >= 0 and var combination && _missing[group].Contains(combination);

    private void MarkCovered(int[] levels)
    {
        for (int group = 0; group < _groups.Length; group++)
        {
            _missing[group].Remove(Combination(levels, group));
        }
    }

    /// <summary>The number of the combination of a group's levels; -1 if not all of them are set.</summary>
    private int Combination(int[] levels, int group)
    {
        int combination = 0;
        foreach (int factor in _groups[group])
        {
            if (levels[factor] < 0)
            {
                return -1;
            }

            combination = (combination * Factors.All[factor].Levels.Length) + levels[factor];
        }

        return combination;
    }
}
