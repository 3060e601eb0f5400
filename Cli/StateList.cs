using TcpCloser.Interop;

namespace TcpCloser.Cli;

/// <summary>TCP states by the names and groups of ss(8), as the mask that INET_DIAG takes: bit <c>1 &lt;&lt; state</c>.</summary>
internal static class StateList
{
    private const uint All = (1u << TcpState.Count) - 2;
    private const uint Listen = 1u << TcpState.Listen;
    private const uint Bucket = 1u << TcpState.SynRecv | 1u << TcpState.TimeWait;
    private const uint Connected = All & ~(Listen | 1u << TcpState.Close);

    private static readonly string[] Names =
    [
        "", "established", "syn-sent", "syn-recv", "fin-wait-1", "fin-wait-2", "time-wait", "closed", "close-wait", "last-ack",
        "listen", "closing",
    ];

    /// <summary>The name of a state as the kernel numbers it.</summary>
    public static string Name(byte state) => state > 0 && state < Names.Length ? Names[state] : "unknown";

    /// <summary>The mask that a comma-separated list names. No group contains LISTEN: it has to be named.</summary>
    /// <exception cref="UsageException">One of the words is neither a state nor a group.</exception>
    public static uint Parse(string option, string list)
    {
        uint states = 0;
        foreach (Range part in list.AsSpan().Split(','))
        {
            uint mask = Mask(list.AsSpan(part));
            if (mask == 0)
            {
                throw new UsageException(option, list,
                    "states are established, syn-sent, syn-recv, fin-wait-1, fin-wait-2, time-wait, closed, close-wait, last-ack, " +
                    "listen, closing, and the groups all, connected, synchronized, bucket, big");
            }

            states |= mask;
        }

        return states;
    }

    private static uint Mask(ReadOnlySpan<char> word)
    {
        for (int state = 1; state < Names.Length; state++)
        {
            if (word.Equals(Names[state], StringComparison.OrdinalIgnoreCase))
            {
                return 1u << state;
            }
        }

        return word.ToString().ToLowerInvariant() switch
        {
            "syn-rcv" => 1u << TcpState.SynRecv,
            "close" or "unconnected" => 1u << TcpState.Close,
            "listening" => Listen,
            "all" => All & ~Listen,
            "connected" => Connected,
            "synchronized" => Connected & ~(1u << TcpState.SynSent),
            "bucket" => Bucket,
            "big" => All & ~(Bucket | Listen),
            _ => 0,
        };
    }
}
