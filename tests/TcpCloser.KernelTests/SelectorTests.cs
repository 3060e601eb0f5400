namespace TcpCloser.KernelTests;

/// <summary>
/// Which connections a selection matches, in a crowd of every kind: compared with what the test itself knows of each socket, and
/// with ss where ss has the same condition. All are dry runs, so that the crowd stays as it is.
/// </summary>
public sealed class SelectorTests
{
    private const int RandomSelections = 500;
    private static readonly string[] s_groups = ["all", "connected", "synchronized", "bucket", "big"];

    [Fact]
    public void Selection_EachSelectorAndPairAnd500Random_MatchesExpectedSockets()
    {
        using var crowd = Crowd.Create();
        Choice[] singles = [.. Singles(crowd)];
        // Each state by itself as well; in combinations, one state and one group are enough.
        List<Choice> choices = [.. singles, .. Choice.States.Concat(s_groups).Select(OfState)];
        for (int i = 0; i < singles.Length; i++)
        {
            choices.AddRange(singles.Skip(i + 1).Select(other => Combine(singles[i], other)));
        }

        RandomChoice random = new(20261122, crowd);
        choices.AddRange(Enumerable.Range(0, RandomSelections).Select(_ => random.Next()));

        var results = ToolBatch.Run(crowd.Base, Binaries.Tool, [.. choices.Select(choice => choice.Arguments(crowd.Cgroups)).Select(arguments => (string[])["-n", "--json", .. arguments])]);

        AssertCrowdIsWhatTheKernelLists(crowd);
        List<string> wrong = [];
        for (int i = 0; i < choices.Count; i++)
        {
            if (results[i].ExitCode != (choices[i].IsValid ? 0 : 2))
            {
                wrong.Add($"{choices[i]}: exit {results[i].ExitCode}: {results[i].Stderr}");
            }
            else if (choices[i].IsValid)
            {
                Compare(wrong, "the test", choices[i], crowd.Sockets.Where(choices[i].Matches).Select(socket => socket.Ends), Ends(results[i]));
            }
        }
        AssertNone(wrong);
        AssertWideSpread(results);
        CompareWithSs(crowd, choices, results);
        // A user namespace has only one user: there the selection names processes instead.
        AssertOnlyTheSelectedAreClosed(crowd, Namespaces.NeedUserNamespace
            ? new Choice { Families = ["-4", "-6"], StateNames = ["all"], Comms = ["alpha"] }
            : new Choice { Families = ["-4", "-6"], StateNames = ["all"], Uids = [1001] });
        AssertOnlyTheSelectedAreClosed(crowd, new Choice { Destinations = ["127.3.0.0/16", "fd00::/47"], NotSources = ["fd00:0:1::1"], StateNames = ["connected"] });
        AssertOnlyTheSelectedAreClosed(crowd, new Choice { Families = ["-4"], Interfaces = ["v0", "v1"] });
    }

    /// <summary>One run that closes: the selected connections are gone, and at most their peers with them.</summary>
    private static void AssertOnlyTheSelectedAreClosed(Crowd crowd, Choice choice)
    {
        var before = Listed(crowd);
        var selected = crowd.Sockets.Where(socket => choice.Matches(socket) && before.Contains(Key(socket.LocalEnd.Port, socket.RemoteEnd.Port))).ToList();
        Assert.NotEmpty(selected);
        var result = crowd.Base.Tool([.. choice.Arguments(crowd.Cgroups)]).Expect(0);

        Assert.Equal(selected.Count, result.Summary("closed") + result.Summary("vanished")); // both ends may be selected
        var allowed = selected.SelectMany(socket => new[] { Key(socket.LocalEnd.Port, socket.RemoteEnd.Port), Key(socket.RemoteEnd.Port, socket.LocalEnd.Port) }).ToHashSet();
        var after = Listed(crowd);
        Assert.DoesNotContain(selected, socket => after.Contains(Key(socket.LocalEnd.Port, socket.RemoteEnd.Port)));
        Assert.Empty(before.Except(after).Except(allowed));
    }

    private static HashSet<string> Listed(Crowd crowd)
        => [.. crowd.Base.Sockets().Select(socket => Key(socket.LocalPort, socket.RemotePort))];

    private static string Key(int local, int remote) => $"{local} {remote}";

    private static void CompareWithSs(Crowd crowd, List<Choice> choices, Result[] results)
    {
        int[] comparable = [.. Enumerable.Range(0, choices.Count).Where(i => choices[i].IsValid && !choices[i].NamesOwners)];
        Assert.True(comparable.Length > RandomSelections / 2);
        var answers = SocketStatistics.Query(crowd, [.. comparable.Select(i => choices[i])]);
        List<string> wrong = [];
        for (int i = 0; i < comparable.Length; i++)
        {
            Compare(wrong, "ss", choices[comparable[i]], answers[i], Ends(results[comparable[i]]));
        }

        AssertNone(wrong);
    }

    /// <summary>
    /// Each selector by itself, with one value and with several; if it does not select anything by itself, a usage error is
    /// expected.
    /// </summary>
    private static IEnumerable<Choice> Singles(Crowd crowd)
    {
        string[] both = ["-4", "-6"];
        string[] all = ["all"];
        yield return new() { Families = both, StateNames = all, SourcePorts = ["5000-5100"] };
        yield return new() { Families = both, StateNames = all, DestinationPorts = ["5000", "5030-5050", "5200-5230"] };
        yield return new() { Sources = ["127.3.0.0/16"] };
        yield return new() { Sources = ["127.3.0.9", "fd00::/32"] };
        yield return new() { Destinations = ["127.0.0.1"] };
        yield return new() { Destinations = ["::1", "127.3.0.1"] };
        yield return new() { NotSources = ["127.3.0.0/28"] };
        yield return new() { NotDestinations = ["::1", "fd00:0:1::/48"] };
        yield return new() { Families = both, Uids = [1001] };
        yield return new() { Families = both, Uids = [0, 65534] };
        yield return new() { Families = both, Pids = crowd.Pids[..2] };
        yield return new() { Families = both, Comms = ["alpha"] };
        yield return new() { Families = both, Comms = ["beta", "two words"] };
        yield return new() { Families = both, Interfaces = ["v0"] };
        yield return new() { Families = both, Interfaces = ["lo", "v1"] };
        yield return new() { Families = both, Marks = ["17"] };
        yield return new() { Families = both, Marks = ["16/240", "256/256"] };
        if (crowd.Cgroups.Count > 0)
        {
            yield return new() { Families = both, Cgroups = ["a"] };
            yield return new() { Families = both, Cgroups = ["a", "b"] };
        }
        yield return new() { StateNames = ["close-wait"] };
        yield return new() { StateNames = ["synchronized"] };
        yield return new() { Families = ["-4"] };
        yield return new() { Families = ["-6"] };
    }

    private static Choice OfState(string state) => new() { Families = ["-4", "-6"], StateNames = [state], SourcePorts = ["1-65535"] };

    /// <summary>Both selections in one: if both give values for one option, these are alternatives.</summary>
    private static Choice Combine(Choice one, Choice other) => new()
    {
        Families = [.. one.Families.Union(other.Families)],
        SourcePorts = [.. one.SourcePorts, .. other.SourcePorts],
        DestinationPorts = [.. one.DestinationPorts, .. other.DestinationPorts],
        Sources = [.. one.Sources, .. other.Sources],
        Destinations = [.. one.Destinations, .. other.Destinations],
        NotSources = [.. one.NotSources, .. other.NotSources],
        NotDestinations = [.. one.NotDestinations, .. other.NotDestinations],
        StateNames = [.. one.StateNames, .. other.StateNames],
        Uids = [.. one.Uids, .. other.Uids],
        Pids = [.. one.Pids, .. other.Pids],
        Comms = [.. one.Comms, .. other.Comms],
        Interfaces = [.. one.Interfaces, .. other.Interfaces],
        Marks = [.. one.Marks, .. other.Marks],
        Cgroups = [.. one.Cgroups, .. other.Cgroups],
    };

    private static string[] Ends(Result result) => [.. ConnectionRecord.Read(result).Select(record => record.Ends)];

    private static void Compare(List<string> wrong, string reference, Choice choice, IEnumerable<string> expected, string[] seen)
    {
        string[] wanted = [.. expected.Order()];
        string[] got = [.. seen.Order()];
        if (!wanted.SequenceEqual(got))
        {
            wrong.Add($"{choice}: {reference} has {wanted.Length}, the tool {got.Length}; only {reference}: {string.Join("; ", wanted.Except(got))}; "
                + $"only the tool: {string.Join("; ", got.Except(wanted))}");
        }
    }

    private static void AssertNone(List<string> wrong)
        => Assert.True(wrong.Count == 0, $"{wrong.Count} selections differ:\n{string.Join('\n', wrong.Take(10))}");

    /// <summary>Compares the test's knowledge of the crowd with the kernel's own list, after all runs.</summary>
    private static void AssertCrowdIsWhatTheKernelLists(Crowd crowd)
    {
        var listed = crowd.Base.Sockets().Where(socket => socket.State != "listen").Select(socket => $"{socket.LocalPort} {socket.RemotePort} {socket.State}");
        var known = crowd.Sockets.Select(socket => $"{socket.LocalEnd.Port} {socket.RemoteEnd.Port} {socket.State}");
        Assert.Equal(known.Order(), listed.Order());
    }

    /// <summary>Selections that mostly match nothing would prove nothing.</summary>
    private static void AssertWideSpread(Result[] results)
    {
        int[] sizes = [.. results.Where(result => result.ExitCode == 0).Select(result => ConnectionRecord.Read(result).Length)];
        Assert.True(sizes.Count(number => number > 0) > sizes.Length / 4, $"{sizes.Count(number => number > 0)} of {sizes.Length} match anything");
        Assert.True(sizes.Distinct().Count() > 30, $"{sizes.Distinct().Count()} different sizes");
    }
}
