using System.Globalization;

namespace TcpCloser.KernelTests.Harness;

/// <summary>A TCP socket as /proc/PID/net/tcp and tcp6 list it, including sockets without a descriptor (proc(5)).</summary>
/// <param name="Local">The endpoint as the program prints it.</param>
/// <param name="State">In the program's spelling.</param>
/// <param name="Timer">The running timer: 0 none, 1 retransmission, 2 keepalive, 4 window probe.</param>
/// <param name="ExpiresMs">Milliseconds until the timer fires; multiples of ten.</param>
/// <param name="Inode">0: the socket has no descriptor.</param>
internal sealed record KernelSocket(string Local, string Remote, string State, int Timer, long ExpiresMs, long Inode)
{
    internal const int KeepaliveTimer = 2;

    private static readonly string[] s_states =
    [
        "unknown", "established", "syn-sent", "syn-recv", "fin-wait-1", "fin-wait-2", "time-wait", "closed", "close-wait", "last-ack",
        "listen", "closing", "syn-recv",
    ];

    internal int LocalPort => Port(Local);
    internal int RemotePort => Port(Remote);

    /// <summary>Both endpoints as the program prints them; a listener has no peer.</summary>
    internal string Ends => NameEnds(Local, Remote);

    internal static string NameEnds(string local, string remote) => $"{local} -> {(remote.EndsWith(":0", StringComparison.Ordinal) ? "*" : remote)}";

    internal static string NameEnd(IPAddress address, int port)
    {
        address = address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address;
        return address.ToString().Contains(':') ? $"[{address}]:{port}" : $"{address}:{port}";
    }

    internal static List<KernelSocket> Read(int pid)
    {
        List<KernelSocket> sockets = [];
        foreach (string file in new[] { $"/proc/{pid}/net/tcp", $"/proc/{pid}/net/tcp6" }.Where(File.Exists))
        {
            foreach (string line in File.ReadLines(file).Skip(1))
            {
                // number, local, remote, state, queues, timer:when, retransmits, uid, timeout, inode
                string[] words = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
                sockets.Add(new KernelSocket(
                    Endpoint(words[1]),
                    Endpoint(words[2]),
                    s_states[Hex(words[3])],
                    Hex(words[5].AsSpan(0, 2)),
                    Hex(words[5].AsSpan(3)) * 10L,
                    long.Parse(words[9], CultureInfo.InvariantCulture)));
            }
        }

        return sockets;
    }

    /// <summary>Parses an address in 32-bit words in host byte order, and a port: <c>0100007F:1F90</c>.</summary>
    private static string Endpoint(string text)
    {
        int colon = text.IndexOf(':');
        byte[] bytes = Convert.FromHexString(text.AsSpan(0, colon));
        for (int i = 0; BitConverter.IsLittleEndian && i < bytes.Length; i += sizeof(int))
        {
            Array.Reverse(bytes, i, sizeof(int));
        }

        return NameEnd(new IPAddress(bytes), Hex(text.AsSpan(colon + 1)));
    }

    private static int Port(string end) => int.Parse(end.AsSpan(end.LastIndexOf(':') + 1), CultureInfo.InvariantCulture);
    private static int Hex(ReadOnlySpan<char> text) => int.Parse(text, NumberStyles.HexNumber, CultureInfo.InvariantCulture);
}
