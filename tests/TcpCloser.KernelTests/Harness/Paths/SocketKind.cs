using System.Globalization;

namespace TcpCloser.KernelTests.Harness.Paths;

/// <summary>A kind of socket that an application may have before its peer is probed.</summary>
/// <param name="Options">The options of the Lab's connect command.</param>
internal sealed record SocketKind(string Name, string Options)
{
    /// <summary>Seconds, instead of the usual two hours, in the near namespace (net.ipv4.tcp_keepalive_time).</summary>
    private const int KeepaliveTime = 86_400;
    private Action<SocketRange, SocketRange>? Connected { get; init; }
    private Action<SocketRange>? Vanished { get; init; }
    /// <summary>Every kind that survives a minute without a segment from its peer.</summary>
    internal static SocketKind[] Patient { get; } =
    [
        new("plain", ""),
        new("reuse", "reuse"),
        new("linger", "linger=40"),
        new("keepalive of the system", "keepalive reuse"),
        new("user timeout", "user-timeout=2000"),
        new("data outstanding", "reuse") { Vanished = static near => near.Send(1_000) },
        new("data outstanding, keepalive, linger", "keepalive=7200,75,9 linger=40") { Vanished = static near => near.Send(1_000) },
        new("closed window", "") { Connected = static (near, _) => near.Fill() },
        new("unread data", "") { Connected = static (_, far) => far.Send(1_000) },
        .. Keepalives([1, 2, 3, 9], [60, 7_200]),
    ];

    /// <summary>When the socket's own keepalive ends the connection.</summary>
    internal TimeSpan GivesUpAfter { get; private init; } = TimeSpan.MaxValue;
    /// <summary>The kinds whose own keepalive gives up before that. They survive half a minute.</summary>
    internal static SocketKind[] Impatient { get; } =
    [
        new("keepalive each second", "keepalive=1,1,60"),
        new("keepalive after 7 s", "keepalive=7,12,3"),
        new("keepalive after 8 s, once", "keepalive=8,30,1 reuse"),
        new("keepalive after 20 s, user timeout", "keepalive=20,10,2 user-timeout=40000"),
    ];

    /// <summary>Small buffers, so that a window closes soon, and a keepalive time that setsockopt(2) does not accept.</summary>
    internal static void Prepare(NetworkPath path)
    {
        path.InNear($"echo 4096 65536 65536 > /proc/sys/net/ipv4/tcp_wmem; echo {KeepaliveTime} > /proc/sys/net/ipv4/tcp_keepalive_time");
        path.InFar("echo 4096 131072 131072 > /proc/sys/net/ipv4/tcp_rmem");
    }

    internal SocketRange Connect(NetworkPath path, string to, int count = 1, int port = NetworkPath.Port)
    {
        (SocketRange near, SocketRange far) = path.Connect(count, to, Options, port);
        Connected?.Invoke(near, far);
        return near;
    }

    internal void Vanish(SocketRange near) => Vanished?.Invoke(near);

    private static IEnumerable<SocketKind> Keepalives(int[] counts, int[] idles) =>
        from count in counts
        from idle in idles
        select new SocketKind($"keepalive of {count} probes after {idle} s", string.Create(CultureInfo.InvariantCulture, $"keepalive={idle},10,{count} reuse"))
        {
            GivesUpAfter = TimeSpan.FromSeconds(idle + (10 * count)),
        };
}
