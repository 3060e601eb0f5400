using System.Text;
using TcpCloser.Interop;

namespace TcpCloser.Cli;

/// <summary>TCP states by the names and groups of ss(8), and as ss and netstat(8) print them, as the mask that INET_DIAG takes: bit <c>1 &lt;&lt; state</c>.</summary>
internal static class StateList
{
    private const uint All = (1u << TcpState.Count) - 2;
    private const uint Listen = 1u << TcpState.Listen;
    private const uint Bucket = 1u << TcpState.SynRecv | 1u << TcpState.TimeWait;
    private const uint AfterClose = 1u << TcpState.CloseWait | 1u << TcpState.FinWait1 | 1u << TcpState.FinWait2 | 1u << TcpState.LastAck
        | 1u << TcpState.Closing | 1u << TcpState.TimeWait;
    private const uint Connected = All & ~(Listen | 1u << TcpState.Close);

    /// <summary>The name of a state as the kernel numbers it.</summary>
    public static ReadOnlySpan<byte> Name(byte state) => state switch
    {
        TcpState.Established => "established"u8,
        TcpState.SynSent => "syn-sent"u8,
        TcpState.SynRecv => "syn-recv"u8,
        TcpState.FinWait1 => "fin-wait-1"u8,
        TcpState.FinWait2 => "fin-wait-2"u8,
        TcpState.TimeWait => "time-wait"u8,
        TcpState.Close => "closed"u8,
        TcpState.CloseWait => "close-wait"u8,
        TcpState.LastAck => "last-ack"u8,
        TcpState.Listen => "listen"u8,
        TcpState.Closing => "closing"u8,
        _ => "unknown"u8,
    };

    /// <summary>Whether all of the states are ones that a connection is in after one of its ends, or both, closed it.</summary>
    public static bool AreAfterClose(uint states) => (states & ~AfterClose) == 0;

    /// <summary>The mask that a comma-separated list names. No group contains LISTEN: it has to be named.</summary>
    /// <exception cref="UsageException">One of the words is neither a state nor a group.</exception>
    public static uint Parse(string option, string list)
    {
        uint states = 0;
        foreach (Range part in list.AsSpan().Split(','))
        {
            ReadOnlySpan<char> word = list.AsSpan(part);
            uint mask = Mask(word);
            if (mask == 0)
            {
                throw UsageException.OfItem(option, word, list,
                    "states are established, syn-sent, syn-recv, fin-wait-1, fin-wait-2, time-wait, closed, close-wait, last-ack, " +
                    "listen, closing, and the groups all, connected, synchronized, bucket, big");
            }

            states |= mask;
        }

        return states;
    }

    private static uint Mask(ReadOnlySpan<char> typed)
    {
        string word = typed.ToString().ToLowerInvariant().Replace('_', '-');
        for (byte state = 1; state < TcpState.Count; state++)
        {
            if (Ascii.Equals(Name(state), word))
            {
                return 1u << state;
            }
        }

        return word switch
        {
            "estab" => 1u << TcpState.Established,
            "syn-rcv" => 1u << TcpState.SynRecv,
            "fin-wait1" => 1u << TcpState.FinWait1,
            "fin-wait2" => 1u << TcpState.FinWait2,
            "close" or "unconn" or "unconnected" => 1u << TcpState.Close,
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
