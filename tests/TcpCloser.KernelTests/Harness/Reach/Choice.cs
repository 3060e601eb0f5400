using System.Globalization;

namespace TcpCloser.KernelTests.Harness.Reach;

/// <summary>A selection as the test understands it: the tool's arguments, and the sockets of the crowd that match.</summary>
internal sealed record Choice
{
    internal static readonly string[] States =
    [
        "established", "syn-sent", "syn-recv", "fin-wait-1", "fin-wait-2", "time-wait", "closed", "close-wait", "last-ack", "closing",
    ];

    /// <summary>"-4", "-6", both or none.</summary>
    internal string[] Families { get; init; } = [];
    /// <summary>Ports and ranges: <c>22</c>, <c>5000-5040</c>.</summary>
    internal string[] SourcePorts { get; init; } = [];
    internal string[] DestinationPorts { get; init; } = [];
    /// <summary>Prefixes: <c>127.0.0.0/8</c>, <c>::1</c>.</summary>
    internal string[] Sources { get; init; } = [];
    internal string[] Destinations { get; init; } = [];
    internal string[] NotSources { get; init; } = [];
    internal string[] NotDestinations { get; init; } = [];
    internal string[] StateNames { get; init; } = [];
    internal uint[] Uids { get; init; } = [];
    internal int[] Pids { get; init; } = [];
    internal string[] Comms { get; init; } = [];
    internal string[] Interfaces { get; init; } = [];
    /// <summary>Marks: <c>16/255</c>.</summary>
    internal string[] Marks { get; init; } = [];
    internal string[] Cgroups { get; init; } = [];
    internal bool NamesOwners => Uids.Length + Pids.Length + Comms.Length > 0;

    /// <summary>Whether the tool accepts it: it has to select something, by addresses that can occur together.</summary>
    internal bool IsValid
    {
        get
        {
            bool selects = SourcePorts.Length + DestinationPorts.Length + Sources.Length + Destinations.Length + Interfaces.Length + Marks.Length + Cgroups.Length > 0
                || NamesOwners || (StateNames.Length > 0 && StateNames.All(name => name == "time-wait"));
            var sources = Sources.Select(IsV6).ToHashSet();
            var destinations = Destinations.Select(IsV6).ToHashSet();
            bool meet = sources.Count == 0 || destinations.Count == 0 || sources.Overlaps(destinations);
            bool impossible = !TakesIPv6 && Addresses.Any(IsV6);
            return selects && meet && !impossible;
        }
    }

    internal bool TakesIPv4 => Families.Length > 0 ? Families.Contains("-4") : !Wanted.Any() || Wanted.Any(prefix => !IsV6(prefix));

    internal bool TakesIPv6 => Families.Length > 0 ? Families.Contains("-6")
        : Wanted.Any() ? Wanted.Any(IsV6)
        : SourcePorts.Length + DestinationPorts.Length == 0;

    /// <summary>The addresses that determine the family if none is given; exclusions do not.</summary>
    private IEnumerable<string> Wanted => [.. Sources, .. Destinations];

    private IEnumerable<string> Addresses => [.. Wanted, .. NotSources, .. NotDestinations];

    internal string[] Arguments(IReadOnlyDictionary<string, string> cgroups) =>
    [
        .. Families,
        .. List("-s", SourcePorts), .. List("-d", DestinationPorts), .. List("--src", Sources), .. List("--dst", Destinations),
        .. List("--not-src", NotSources), .. List("--not-dst", NotDestinations), .. List("--state", StateNames),
        .. Each("--uid", Uids), .. Each("--pid", Pids), .. Each("--comm", Comms), .. Each("--interface", Interfaces), .. Each("--mark", Marks),
        .. Each("--cgroup", Cgroups.Select(name => cgroups[name])),
    ];

    internal bool Matches(CrowdSocket socket) =>
        ((TakesIPv4 && socket.IsIPv4) || (TakesIPv6 && socket.IsV6))
        && Any(SourcePorts, range => Contains(range, socket.LocalEnd.Port))
        && Any(DestinationPorts, range => Contains(range, socket.RemoteEnd.Port))
        && Any(Sources, prefix => Covers(prefix, socket, socket.LocalEnd.Address))
        && Any(Destinations, prefix => Covers(prefix, socket, socket.RemoteEnd.Address))
        && !NotSources.Any(prefix => Covers(prefix, socket, socket.LocalEnd.Address))
        && !NotDestinations.Any(prefix => Covers(prefix, socket, socket.RemoteEnd.Address))
        && (StateNames.Length == 0 ? socket.State == "established" : StateNames.Any(name => Expand(name).Contains(socket.State)))
        && Any(Uids, uid => socket.Owners.Length > 0 && socket.Uid == uid)
        && ((Pids.Length == 0 && Comms.Length == 0)
            || socket.Owners.Any(owner => Any(Pids, pid => owner.Pid == pid) && Any(Comms, comm => owner.Comm == comm)))
        && Any(Interfaces, device => socket.Device == device)
        && Any(Marks, mark => MatchesMark(mark, socket.Mark))
        && Any(Cgroups, name => socket.Cgroup == name);

    /// <summary>The states that a name or group in ss's spelling stands for, without LISTEN.</summary>
    internal static string[] Expand(string name) => name switch
    {
        "all" => States,
        "connected" => [.. States.Except(["closed"])],
        "synchronized" => [.. States.Except(["closed", "syn-sent"])],
        "bucket" => ["syn-recv", "time-wait"],
        "big" => [.. States.Except(["syn-recv", "time-wait"])],
        _ => [name],
    };

    internal static bool IsV6(string prefix) => prefix.Contains(':');
    public override string ToString() => string.Join(' ', Arguments(Cgroups.ToDictionary(name => name)));
    private static bool Any<T>(T[] values, Func<T, bool> holds) => values.Length == 0 || values.Any(holds);

    private static bool Contains(string range, int port)
    {
        int[] ends = [.. range.Split('-').Select(end => int.Parse(end, CultureInfo.InvariantCulture))];
        return port >= ends[0] && port <= ends[^1];
    }

    /// <summary>An IPv4 prefix covers IPv4 on any socket; an IPv6 prefix covers the address of an IPv6 socket.</summary>
    private static bool Covers(string prefix, CrowdSocket socket, IPAddress address)
    {
        var network = prefix.Contains('/') ? IPNetwork.Parse(prefix)
            : new IPNetwork(IPAddress.Parse(prefix), IsV6(prefix) ? 128 : 32);
        if (network.BaseAddress.AddressFamily == AddressFamily.InterNetwork)
        {
            return socket.IsIPv4 && network.Contains(address);
        }

        return socket.IsV6 && network.Contains(address.MapToIPv6());
    }

    private static bool MatchesMark(string wanted, uint mark)
    {
        uint[] parts = [.. wanted.Split('/').Select(part => uint.Parse(part, CultureInfo.InvariantCulture))];
        return parts.Length == 1 ? mark == parts[0] : (mark & parts[1]) == parts[0];
    }

    private static string[] List(string option, string[] values) => values.Length == 0 ? [] : [option, string.Join(',', values)];

    private static IEnumerable<string> Each<T>(string option, IEnumerable<T> values)
        => values.SelectMany(value => new[] { option, Convert.ToString(value, CultureInfo.InvariantCulture)! });
}
