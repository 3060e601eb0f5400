namespace TcpCloser.KernelTests.Harness.Reach;

/// <summary>Random selections, reproducible by their seed, with values that mostly occur in the crowd.</summary>
internal sealed class RandomChoice(int seed, Crowd crowd)
{
    private static readonly string[] s_groups = ["all", "connected", "synchronized", "bucket", "big"];
    private static readonly string[] s_addresses =
    [
        "127.0.0.1", "127.0.0.0/8", "127.3.0.1", "127.3.0.0/28", "127.3.0.8/29", "0.0.0.0/0", "10.0.0.0/8",
        "::1", "fd00::1", "fd00::/32", "fd00::/47", "fd00:0:1::/48", "::/0", "2001:db8::/32", "::/96",
    ];

    private readonly Random _random = new(seed);

    internal Choice Next()
    {
        Choice choice;
        do
        {
            choice = Any();
        }
        while (!choice.IsValid);
        return choice;
    }

    private Choice Any() => new()
    {
        Families = _random.Next(5) switch { 0 => ["-4"], 1 => ["-6"], 2 or 3 => ["-4", "-6"], _ => [] },
        SourcePorts = Some(0.35, Port),
        DestinationPorts = Some(0.35, Port),
        Sources = Some(0.2, Address),
        Destinations = Some(0.2, Address),
        NotSources = Some(0.15, Address),
        NotDestinations = Some(0.15, Address),
        StateNames = Some(0.7, () => Of(_random.Next(3) == 0 ? s_groups : Choice.States)),
        Uids = Some(0.1, () => Of<uint>([0, 1001, 65534, 1234])),
        Pids = Some(0.1, () => Of([.. crowd.Pids, 999_999])),
        Comms = Some(0.1, () => Of(["alpha", "beta", "two words", "tcp-closer-lab", "alp"])),
        Interfaces = Some(0.12, () => Of([.. Crowd.Devices, "none0"])),
        Marks = Some(0.12, () => Of(["16", "17", "0", "16/240", "1/1", "273", "256/256", "0/0", "32/4294967295"])),
        Cgroups = crowd.Cgroups.Count == 0 ? [] : Some(0.1, () => Of(["a", "b"])),
    };

    private string Port()
    {
        var socket = crowd.Sockets[_random.Next(crowd.Sockets.Count)];
        int port = _random.Next(2) == 0 ? socket.LocalEnd.Port : socket.RemoteEnd.Port;
        return _random.Next(4) switch
        {
            0 => $"{port}",
            1 => $"{port}-{Math.Min(port + _random.Next(20_000), 65535)}",
            2 => $"{Math.Max(1, port - _random.Next(200))}-{port}",
            _ => "1-65535",
        };
    }

    private string Address() => Of(s_addresses);
    private T Of<T>(T[] values) => values[_random.Next(values.Length)];

    /// <summary>One to three values with that probability, otherwise none.</summary>
    private T[] Some<T>(double chance, Func<T> value)
        => _random.NextDouble() >= chance ? [] : [.. Enumerable.Range(0, 1 + (_random.Next(3) / 2 * _random.Next(1, 3))).Select(_ => value())];
}
