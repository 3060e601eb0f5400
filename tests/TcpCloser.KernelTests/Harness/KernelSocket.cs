using System.Globalization;

namespace TcpCloser.KernelTests.Harness;

/// <summary>A TCP socket as /proc/PID/net/tcp and tcp6 list it; among them those that no descriptor shows.</summary>
internal sealed record KernelSocket(int LocalPort, int RemotePort, string State, long Inode)
{
    private static readonly string[] s_states =
    [
        "unknown", "established", "syn-sent", "syn-recv", "fin-wait-1", "fin-wait-2", "time-wait", "closed", "close-wait", "last-ack",
        "listening", "closing", "syn-recv",
    ];

    /// <summary>All TCP sockets in the network namespace of a process.</summary>
    internal static List<KernelSocket> Read(int pid)
    {
        List<KernelSocket> sockets = [];
        foreach (string file in new[] { $"/proc/{pid}/net/tcp", $"/proc/{pid}/net/tcp6" }.Where(File.Exists))
        {
            foreach (string line in File.ReadLines(file).Skip(1))
            {
                // number, local, remote, state, queues, timer, retransmits, uid, timeout, inode
                string[] words = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
                sockets.Add(new KernelSocket(
                    Port(words[1]),
                    Port(words[2]),
                    s_states[int.Parse(words[3], NumberStyles.HexNumber, CultureInfo.InvariantCulture)],
                    long.Parse(words[9], CultureInfo.InvariantCulture)));
            }
        }
        return sockets;
    }

    private static int Port(string address)
        => int.Parse(address.AsSpan(address.IndexOf(':') + 1), NumberStyles.HexNumber, CultureInfo.InvariantCulture);
}
