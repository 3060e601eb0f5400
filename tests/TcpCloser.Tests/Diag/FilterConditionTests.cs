using System.Net;
using CsCheck;

namespace TcpCloser.Tests.Diag;

/// <summary>Addresses, devices, marks and cgroups in the filter: the interpreter lists what the options select.</summary>
public sealed class FilterConditionTests
{
    /// <summary>Addresses that short prefixes often match, and often nearly match.</summary>
    private static readonly Gen<string> s_ipv4 = Gen.OneOf<byte>(0, 1, 10, 0x80, 0xff).Array[4].Select(static bytes => new IPAddress(bytes).ToString());

    private static readonly Gen<string> s_ipv6 = Gen.OneOf(
        Gen.OneOf<byte>(0, 0x80, 0xfd).Array[16].Select(static bytes => new IPAddress(bytes).ToString()),
        s_ipv4.Select(static ip => "::ffff:" + ip));

    private static readonly Gen<string> s_prefix = Gen.OneOf(
        Gen.Select(s_ipv4, Gen.Int[0, 32], static (ip, length) => $"{ip}/{length}"),
        Gen.Select(s_ipv6, Gen.Int[0, 128], static (ip, length) => $"{ip}/{length}"));

    private static readonly FilterEntry s_entry = FilterEntry.Between("10.0.0.1", 22, "10.0.0.2", 5);

    /// <summary>The legacy dump walks sockets of both families, and IPv6 sockets can also carry IPv4.</summary>
    [Theory]
    [Rows("-4 | 10.0.0.1 | true", "-4 | ::ffff:10.0.0.1 | true", "-4 | ::ffff:255.255.255.255 | true", "-4 | fd00::1 | false",
        "-4 | :: | false", "-4 | ::1 | false", "-4 | ::10.0.0.1 | false", "-4 | ::fffe:10.0.0.1 | false", "-4 | 1::ffff:10.0.0.1 | false",
        "-46 | 10.0.0.1 | true", "-46 | ::ffff:10.0.0.1 | true", "-46 | fd00::1 | true", "-6 | ::ffff:10.0.0.1 | true",
        "-6 | fd00::1 | true")]
    public void Filter_EachFamily_ListsItsAddressesOnAnySocket(string family, string address, bool listed)
    {
        foreach (string ports in new[] { "22", "22,80", "1-30,80-90,100,200,300,400,500,600,700" })
        {
            Assert.Equal(listed, Lists(Words.Compile(Words.Select(family, "-s", ports)), FilterEntry.Between(address, 22, address, 5)));
        }
    }

    [Fact]
    public void FilterForIPv4_AnyAddress_AgreesWithTheSelection() => Gen.OneOf(
        Gen.Byte.Array[16], Gen.Byte.Array[4].Select(static tail => (byte[])[0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, .. tail]),
        Gen.OneOf<byte>(0, 0xff).Array[16]).Sample(static bytes =>
    {
        string address = new IPAddress(bytes).ToString();
        Selection selection = Words.Select("-4", "-s", "22,80");
        Connection connection = Connections.Of($"{address}:80 {address}:5");
        Assert.Equal(Words.Matches(selection, in connection), Lists(Words.Compile(selection), FilterEntry.Between(address, 80, address, 5)));
    }, iter: 20_000);

    [Fact]
    public void Filter_Addresses_ListsExactlyThose() => Gen.Select(
        s_prefix.Array[0, 4], s_prefix.Array[0, 4], s_prefix.Array[0, 3], s_prefix.Array[0, 3],
        Gen.OneOf(Gen.Select(s_ipv4, s_ipv4), Gen.Select(s_ipv6, s_ipv6)).Array[20],
        static (source, destination, notSource, notDestination, ends) => (source, destination, notSource, notDestination, ends)).Sample(static it =>
    {
        if (!ShareAFamily(it.source, it.destination))
        {
            return; // a usage error
        }

        Selection selection = Words.Select(["-46", "-s", "22,80", .. Option("--src", it.source), .. Option("--dst", it.destination),
            .. Option("--not-src", it.notSource), .. Option("--not-dst", it.notDestination)]);
        byte[] program = Compile(selection);
        foreach ((string source, string destination) in it.ends)
        {
            bool wanted = (it.source.Length == 0 || InAny(source, it.source)) && (it.destination.Length == 0 || InAny(destination, it.destination))
                && !InAny(source, it.notSource) && !InAny(destination, it.notDestination);
            Connection connection = Connections.Of($"{source}:80 {destination}:5");
            Assert.Equal(wanted, Lists(program, FilterEntry.Between(source, 80, destination, 5)));
            Assert.Equal(wanted, Words.Matches(selection, in connection));
        }
    }, iter: 2_000);

    [Theory]
    [Rows("0 | false", "1 | true", "2 | false", "7 | true")]
    public void Filter_SeveralDevices_ListsSocketsBoundToOneOfThem(uint device, bool listed) =>
        Assert.Equal(listed, Lists(new RuleContext { Interfaces = [1, 7] }, s_entry with { Interface = device }));

    [Fact]
    public void Filter_NoneOfTheDevicesExists_ListsNothing() => Assert.False(Lists(new RuleContext { Interfaces = [] }, s_entry));

    [Theory]
    [InlineData(0x10, true)]
    [InlineData(0x110, true)]
    [InlineData(0x11, false)]
    [InlineData(0x105, false)]
    [Rows("5 | true", "0 | false")]
    public void Filter_SeveralMarks_ListsSocketsWithOneOfThem(uint mark, bool listed) =>
        Assert.Equal(listed, Lists(RuleContext.Empty, s_entry with { Mark = mark }, "--mark", "0x10/0xff", "--mark", "5"));

    [Theory]
    [InlineData(0x1_0000_0005, true)]
    [Rows("5 | false", "9 | true")]
    public void Filter_SeveralCgroups_ListsSocketsInOneOfThem(ulong id, bool listed) =>
        Assert.Equal(listed, Lists(new RuleContext { CgroupIds = [0x1_0000_0005, 9] }, s_entry with { CgroupId = id }));

    /// <summary>Of many cgroups the kernel only rejects sockets that have none: user space decides on the others.</summary>
    [Theory]
    [Rows("5 | true", "1000000 | true", "0 | false")]
    public void Filter_ManyCgroups_ListsEverySocketWithACgroup(ulong id, bool listed)
    {
        var context = new RuleContext { CgroupIds = [.. Enumerable.Range(1, FilterCompiler.MaxCgroups + 1).Select(static id => (ulong)id)] };
        Assert.Equal(listed, Lists(context, s_entry with { CgroupId = id }));
        Assert.False(Lists(context, s_entry with { CgroupId = id, SourcePort = 23 }));
    }

    /// <summary>Thousands of prefixes do not fit into a program: the rest is left to user space, and no socket is missed.</summary>
    [Theory]
    [Values(1_500, 2_999, 5_000)]
    public void Filter_MoreAddressesThanFit_MissesNone(int count)
    {
        string list = string.Join(',', Enumerable.Range(0, count).Select(static i => $"fd00::{i:x}"));
        Selection selection = Words.Select("-46", "--src", list, "-s", "22,80", "--not-dst", list);
        byte[] program = Compile(selection);
        Assert.True(Lists(program, FilterEntry.Between($"fd00::{count - 1:x}", 22, "fd01::1", 5)));
        Assert.False(Lists(program, FilterEntry.Between("fd00::1", 23, "fd01::1", 5)));
    }

    private static string[] Option(string name, string[] prefixes) => prefixes.Length == 0 ? [] : [name, string.Join(',', prefixes)];

    private static bool Lists(RuleContext context, FilterEntry entry, params string[] words) =>
        Lists(Compile(Words.Select(["-s", "22,80", .. words]), context), entry);

    private static bool Lists(byte[] program, FilterEntry entry) => BytecodeInterpreter.Accepts(program, in entry);

    private static byte[] Compile(Selection selection, RuleContext? context = null)
    {
        byte[] program = Words.Compile(selection, context);
        Assert.Null(BytecodeAudit.Refusal(program));
        return program;
    }

    /// <summary>Whether source and destination can be of one family: <c>::ffff:a.b.c.d/96</c> and longer prefixes are IPv4.</summary>
    private static bool ShareAFamily(string[] sources, string[] destinations) =>
        sources.Length == 0 || destinations.Length == 0 || sources.Select(IsIPv4).Intersect(destinations.Select(IsIPv4)).Any();

    private static bool IsIPv4(string prefix) => Split(prefix).Address.Length == 4;

    private static bool InAny(string address, string[] prefixes) => Array.Exists(prefixes, prefix => In(IPAddress.Parse(address).GetAddressBytes(), prefix));

    /// <summary>An IPv4 prefix matches IPv4 addresses on sockets of either family, an IPv6 prefix only IPv6 sockets.</summary>
    private static bool In(byte[] address, string prefix)
    {
        (byte[] wanted, int length) = Split(prefix);
        if (wanted.Length == 4 && address.Length == 16)
        {
            var ip = new IPAddress(address);
            return ip.IsIPv4MappedToIPv6 && In(ip.MapToIPv4().GetAddressBytes(), prefix);
        }

        return wanted.Length == address.Length && Enumerable.Range(0, length).All(i => ((wanted[i / 8] ^ address[i / 8]) & 0x80 >> i % 8) == 0);
    }

    private static (byte[] Address, int Length) Split(string prefix)
    {
        string[] parts = prefix.Split('/');
        var ip = IPAddress.Parse(parts[0]);
        int length = int.Parse(parts[1], System.Globalization.CultureInfo.InvariantCulture);
        return ip.IsIPv4MappedToIPv6 && length >= 96 ? (ip.MapToIPv4().GetAddressBytes(), length - 96) : (ip.GetAddressBytes(), length);
    }
}
