using CsCheck;

namespace TcpCloser.Tests.Diag;

/// <summary>The compiled filter lists the ports that set arithmetic selects, and a kernel accepts it.</summary>
public sealed class FilterCompilerTests
{
    private static readonly Gen<PortRange> s_range = Gen.OneOf(
        Gen.Int[1, 65_535].Select(static port => (port, 0)),
        Gen.Select(Gen.Int[1, 65_535], Gen.Int[0, 200]),
        Gen.Select(Gen.Int[1, 40], Gen.Int[0, 3]),
        Gen.Select(Gen.OneOf(1, 2, 32_767, 32_768, 65_534, 65_535), Gen.OneOf(0, 1, 65_535)))
        .Select(static pair => new PortRange((ushort)pair.Item1, (ushort)Math.Min(pair.Item1 + pair.Item2, 65_535)));

    private static readonly Gen<string> s_family = Gen.OneOf("-4", "-6", "-46");

    [Theory]
    [Values(true, false)]
    public void Filter_PortsOfOneEnd_ListsExactlyThose(bool isSource) =>
        Gen.Select(s_family, s_range.Array[1, 60]).Sample((family, ranges) => AssertEveryPortAgrees(family, ranges, isSource), iter: 80);

    [Fact]
    public void Filter_SourceAndDestinationPorts_ListsExactlyThose() =>
        Gen.Select(s_family, s_range.Array[1, 40], s_range.Array[1, 40], Gen.Int[0, 65_535].Array[40])
            .Sample(static (family, source, destination, more) =>
    {
        byte[] program = Compile(family, source, destination);
        var sources = new PortSet(source);
        var destinations = new PortSet(destination);
        foreach (ushort sourcePort in Interesting(source, more))
        {
            foreach (ushort destinationPort in Interesting(destination, more))
            {
                FilterEntry entry = Connected(family, sourcePort, destinationPort, sources.Single, destinations.Single);
                AssertAgrees(family, program, entry, sources.Contains(entry.SourcePort) && destinations.Contains(entry.DestinationPort));
            }
        }
    }, iter: 150);

    [Theory]
    [Rows("1 | 1", "8 | 1", "9 | 1", "16 | 2", "17 | 1", "1000 | 1", "2944 | 2", "3000 | 1", "3000 | 2")]
    public void Filter_ScatteredRanges_ListsExactlyThose(int count, int length)
    {
        PortRange[] ranges = Scattered(count, length);
        AssertEveryPortAgrees("-4", ranges, isSource: true);
        AssertEveryPortAgrees("-6", ranges, isSource: false);
    }

    [Fact]
    public void Filter_AllPortsInOneRangeOrOneByOne_ListsThemAll()
    {
        AssertEveryPortAgrees("-4", [new PortRange(1, 65_535)], isSource: true);
        AssertEveryPortAgrees("-6", [.. Enumerable.Range(1, 65_535).Select(static port => new PortRange((ushort)port, (ushort)port))], isSource: false);
    }

    /// <summary>Any combination of two lists fits into an attribute.</summary>
    [Fact]
    public void Filter_TwoListsOfAnyLength_FitsIntoTheAttribute() =>
        Gen.Select(Gen.Int[1, 3_000], Gen.Int[1, 3_000]).Sample(static (some, others) =>
            Assert.InRange(Compile("-4", Scattered(some, 2), Scattered(others, 2)).Length, 4, BytecodeAudit.MaxLength), iter: 300);

    [Theory]
    [Rows("3001 | 0", "16000 | 0", "0 | 3001", "1501 | 1500", "3001 | 3001", "3001 | 10", "10 | 3001")]
    public void Filter_MorePortsThanFit_MissesNone(int sources, int destinations)
    {
        PortRange[] source = Scattered(sources, 1);
        PortRange[] destination = Scattered(destinations, 2);
        byte[] program = Compile("-6", source, destination);

        Assert.InRange(program.Length, 0, BytecodeAudit.MaxLength);
        Selection selection = Words.Select("-6", source, destination);
        foreach (ushort sourcePort in Interesting([.. source.Take(20), .. source.TakeLast(20)], [1, 2, 65_535]))
        {
            foreach (ushort destinationPort in Interesting([.. destination.Take(20), .. destination.TakeLast(20)], [1, 2, 65_535]))
            {
                FilterEntry entry = FilterEntry.Between("fd00::1", sourcePort, "fd00::2", destinationPort);
                Connection connection = Connections.Of($"fd00::1:{sourcePort} fd00::2:{destinationPort}");
                Assert.True(!Words.Matches(selection, in connection) || BytecodeInterpreter.Accepts(program, in entry));
            }
        }
    }

    [Fact]
    public void Filter_OneListTooLong_KeepsTheOther()
    {
        byte[] program = Compile("-6", Scattered(3_001, 1), Scattered(10, 1));
        FilterEntry wrong = FilterEntry.Between("fd00::1", 9, "fd00::2", 65_000);
        Assert.NotEmpty(program);
        Assert.False(BytecodeInterpreter.Accepts(program, in wrong));
    }

    [Theory]
    [Rows("-6 -s 22", "-46 -d 22", "-46 -s 22 -d 80")]
    public void Filter_RequestIdSelectsEverything_IsEmpty(params string[] words) => Assert.Empty(Words.Compile(Words.Select(words)));

    /// <summary>A leaf costs 16 bytes a port, and the tree above it little.</summary>
    [Fact]
    public void Filter_ThreeThousandPorts_TakesLittleMoreThanItsLeaves() =>
        Assert.InRange(Compile("-6", Scattered(3_000, 1), []).Length, 48_000, 55_000);

    private static void AssertEveryPortAgrees(string family, IReadOnlyList<PortRange> ranges, bool isSource)
    {
        byte[] program = isSource ? Compile(family, ranges, []) : Compile(family, [], ranges);
        var set = new PortSet(ranges);
        if (set.Single != 0)
        {
            return; // the id in the request selects it
        }

        for (int port = 0; port < 65_536; port++)
        {
            FilterEntry entry = isSource ? Connected(family, port, 7, 0, 0) : Connected(family, 7, port, 0, 0);
            AssertAgrees(family, program, entry, set.Contains((ushort)port));
        }
    }

    private static void AssertAgrees(string family, byte[] program, FilterEntry entry, bool wanted)
    {
        if (BytecodeInterpreter.Accepts(program, in entry) != wanted)
        {
            Assert.Fail($"{family}: {entry.SourcePort} -> {entry.DestinationPort} should {(wanted ? "" : "not ")}be listed");
        }
    }

    /// <summary>A socket of the family. A port that the id in the request fixes has that value.</summary>
    private static FilterEntry Connected(string family, int source, int destination, ushort fixedSource, ushort fixedDestination) =>
        new(family == "-4" ? 2 : 10, fixedSource == 0 ? (ushort)source : fixedSource, fixedDestination == 0 ? (ushort)destination : fixedDestination);

    private static byte[] Compile(string family, IReadOnlyList<PortRange> source, IReadOnlyList<PortRange> destination)
    {
        byte[] program = Words.Compile(Words.Select(family, source, destination));
        if (program.Length > 0)
        {
            Assert.Null(BytecodeAudit.Refusal(program, hasEqual: false, netAdmin: false));
        }

        return program;
    }

    private static IEnumerable<ushort> Interesting(IEnumerable<PortRange> ranges, IEnumerable<int> more) =>
        ranges.SelectMany(static range => new[] { range.First - 1, range.First, range.Last, range.Last + 1 }).Concat(more)
            .Where(static port => port is >= 0 and <= 65_535).Select(static port => (ushort)port).Distinct();

    /// <summary>That many ranges of that length, never adjacent, spread over all ports.</summary>
    private static PortRange[] Scattered(int count, int length)
    {
        int step = count == 0 ? 0 : Math.Max(65_535 / count, length + 1);
        return [.. Enumerable.Range(0, count).Select(i => new PortRange((ushort)(10 + i * step), (ushort)(9 + i * step + length)))
            .Where(static range => range.Last >= range.First)];
    }
}
