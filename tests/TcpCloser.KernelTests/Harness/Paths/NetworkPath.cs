namespace TcpCloser.KernelTests.Harness.Paths;

/// <summary>
/// Two network namespaces and a path between them: the near one, where the program runs, and the far one, where the peers are. The
/// far addresses 2 to 9 can be removed, which makes a peer vanish.
/// </summary>
internal sealed class NetworkPath : IDisposable
{
    internal const string Near4 = "10.9.0.1";
    internal const string Near6 = "fd09::1";
    internal const string Device = "slow0";
    /// <summary>The port that the far side listens on, for both families.</summary>
    internal const int Port = 7000;
    /// <summary>A second port, for connections that the program does not select.</summary>
    internal const int OtherPort = 7070;
    private const int MaxPort = 65_000;
    private readonly Command? _relay;
    private readonly Conversation? _toRelay;
    private int _nextPort = 10_000;

    private NetworkPath(int? delay)
    {
        Namespaces.Require();
        Near = SocketProcess.Start(Namespaces.Enter(ownProcesses: false, ownMounts: false));
        string[] aside = Namespaces.NeedUserNamespace ? ["nsenter", "-t", $"{Near.Id}", "-U", "--preserve-credentials", "--"] : [];
        Far = SocketProcess.Start([.. aside, "unshare", "-n", "--"]);
        if (delay is { } ms)
        {
            _relay = Command.Start([.. Inside(Near), Binaries.Lab, "relay", "--far-pid", $"{Far.Id}", "--delay", $"{ms}", "--device", Device]);
            _toRelay = new Conversation(_relay);
            _ = _toRelay.ReadUntil("READY");
        }
        else
        {
            Run(Near, $"ip link add {Device} type veth peer name {Device} netns {Far.Id}");
        }

        Run(Near, $"ip addr add {Near4}/24 dev {Device}; ip addr add {Near6}/64 dev {Device} nodad; ip link set {Device} up");
        Run(Far, $"ip link set {Device} up; {string.Join("; ", Enumerable.Range(2, 8).Select(Add))}");
        _ = Far.Ask($"listen :: {Port}");
        _ = Far.Ask($"listen :: {OtherPort}");
    }

    internal SocketProcess Near { get; }
    internal SocketProcess Far { get; }

    /// <summary>A path over a pair of veth devices, without delay.</summary>
    internal static NetworkPath Fast() => new(delay: null);

    /// <summary>A path over a relay that delays packets in each direction.</summary>
    internal static NetworkPath Slow(int delayMs) => new(delayMs);

    internal static string Far4(int number) => $"10.9.0.{number}";
    internal static string Far6(int number) => $"fd09::{number}";

    /// <summary>
    /// Connections from near to far that the far side has accepted; <paramref name="options"/> are those of the Lab's connect
    /// command.
    /// </summary>
    internal (SocketRange Near, SocketRange Far) Connect(int count = 1, string? to = null, string options = "", int port = Port)
    {
        // Local ports of its own: the kernel may give one port to two connections with different peers, and tests tell them apart by it.
        int size = Math.Max(200, 2 * count);
        if (_nextPort + size <= MaxPort)
        {
            Run(Near, $"echo {_nextPort} {_nextPort + size - 1} > /proc/sys/net/ipv4/ip_local_port_range");
            _nextPort += size;
        }

        SocketRange near = Near.Connect($"{to ?? Far4(2)} {port} {count} {options}");
        return (near, Far.Accept(port, count));
    }

    /// <summary>Connections whose peer has vanished, quiet for long enough to be probed: whoever was heard from within a second is not.</summary>
    internal SocketRange ConnectSilent(int count, string options = "")
    {
        (SocketRange near, _) = Connect(count, Far4(3), options);
        near.WaitQuiet(1_100);
        Vanish(3);
        return near;
    }

    /// <summary>Removes a far address: packets from and to it are lost, and nothing answers for it.</summary>
    internal void Vanish(int number) =>
        Run(Far, $"ip addr del {Far4(number)}/24 dev {Device}; ip -6 addr del {Far6(number)}/64 dev {Device}");

    internal void Return(int number) => Run(Far, Add(number));

    /// <summary>Drops everything on a slow path.</summary>
    internal void Cut() => Relay("cut");

    internal void Restore() => Relay("mend");

    /// <summary>Stops the device of a slow path from taking packets: its queue fills.</summary>
    internal void Stall()
    {
        Assert.NotNull(_relay);
        _relay.Signal("STOP");
    }

    internal void Delay(int milliseconds) => Relay($"delay {milliseconds}");

    /// <summary>
    /// Drops packets that arrive at the far side, by an nftables rule such as <c>ip daddr 10.9.0.4 drop</c>; skips the test if
    /// there is no nftables.
    /// </summary>
    internal void FilterFar(string rule) => Filter(Far, rule);

    internal void FilterNear(string rule) => Filter(Near, rule);

    internal void Unfilter()
    {
        Run(Near, "nft flush ruleset");
        Run(Far, "nft flush ruleset");
    }

    internal void InNear(string script) => Run(Near, script);
    internal void InFar(string script) => Run(Far, script);

    /// <summary>The program on the near side, without syslog.</summary>
    internal ToolRun Tool(params string[] arguments) => new(Inside(Near)) { Arguments = [.. arguments, "--disable-syslog"] };

    public void Dispose()
    {
        _relay?.Dispose();
        Far.Dispose();
        Near.Dispose();
    }

    private static string Add(int number) =>
        $"ip addr add {Far4(number)}/24 dev {Device}; ip addr add {Far6(number)}/64 dev {Device} nodad";

    private static void Filter(SocketProcess side, string rule) => Assert.SkipUnless(
        Command.Run([.. Inside(side), "nft", $"table inet lossy {{ chain in {{ type filter hook input priority 0; {rule}; }}; }}"]).ExitCode == 0,
        "nftables cannot drop packets here");

    private static string[] Inside(SocketProcess process) => Namespaces.Join(process.Id, ownProcesses: false, ownMounts: false);
    private static void Run(SocketProcess side, string script) => _ = Command.Run([.. Inside(side), "sh", "-ec", script]).Expect(0);

    private void Relay(string line)
    {
        Assert.NotNull(_toRelay);
        _ = _toRelay.Ask(line);
    }
}
