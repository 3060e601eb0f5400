using Xunit;

namespace TcpCloser.KernelTests.Harness.Paths;

/// <summary>
/// Two network namespaces and a way between them: the near one, where the program runs, and the far one, where the peers are. Far
/// addresses 2 to 9 can be taken away, which is how a peer vanishes.
/// </summary>
internal sealed class NetworkPath : IDisposable
{
    internal const string Near4 = "10.9.0.1";
    internal const string Near6 = "fd09::1";
    internal const string Device = "slow0";

    /// <summary>The port that the far side listens on, for both families.</summary>
    internal const int Port = 7000;

    private readonly Command? _relay;
    private readonly Conversation? _toRelay;

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
    }

    internal SocketProcess Near { get; }

    internal SocketProcess Far { get; }

    /// <summary>By a pair of veth devices, at once.</summary>
    internal static NetworkPath AtOnce() => new(delay: null);

    /// <summary>By a relay that takes its time in each direction.</summary>
    internal static NetworkPath Slow(int delayMs) => new(delayMs);

    internal static string Far4(int number) => $"10.9.0.{number}";

    internal static string Far6(int number) => $"fd09::{number}";

    /// <summary>Connections from near to far that the far side has accepted; <paramref name="options"/> as the Lab's connect has them.</summary>
    internal (SocketRange Near, SocketRange Far) Connect(int count = 1, string? to = null, string options = "")
    {
        SocketRange near = Near.Connect($"{to ?? Far4(2)} {Port} {count} {options}");
        return (near, Far.Accept(Port, count));
    }

    /// <summary>A far address goes; what it sends and gets is lost, and nothing answers for it.</summary>
    internal void Vanish(int number) =>
        Run(Far, $"ip addr del {Far4(number)}/24 dev {Device}; ip -6 addr del {Far6(number)}/64 dev {Device}");

    internal void Return(int number) => Run(Far, Add(number));

    /// <summary>Nothing gets through a slow path any more.</summary>
    internal void Cut() => Relay("cut");

    internal void Mend() => Relay("mend");

    /// <summary>The device of a slow path takes no packets any more: its queue fills.</summary>
    internal void Stall()
    {
        Assert.NotNull(_relay);
        _relay.Signal("STOP");
    }

    internal void Delay(int milliseconds) => Relay($"delay {milliseconds}");

    internal void InNear(string script) => Run(Near, script);

    internal void InFar(string script) => Run(Far, script);

    /// <summary>The program on the near side; nothing goes to a syslog.</summary>
    internal ToolRun Tool(params string[] arguments) => new(Inside(Near)) { Arguments = [.. arguments, "--disable-syslog"] };

    public void Dispose()
    {
        _relay?.Dispose();
        Far.Dispose();
        Near.Dispose();
    }

    private static string Add(int number) =>
        $"ip addr add {Far4(number)}/24 dev {Device}; ip addr add {Far6(number)}/64 dev {Device} nodad";

    private static string[] Inside(SocketProcess process) => Namespaces.Join(process.Id, ownProcesses: false, ownMounts: false);

    private static void Run(SocketProcess where, string script) =>
        _ = Command.Run([.. Inside(where), "sh", "-ec", script]).Expect(0);

    private void Relay(string line)
    {
        Assert.NotNull(_toRelay);
        _ = _toRelay.Ask(line);
    }
}
