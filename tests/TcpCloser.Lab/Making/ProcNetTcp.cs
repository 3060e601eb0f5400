namespace TcpCloser.Lab.Making;

/// <summary>The kernel's own list of sockets, /proc/net/tcp and tcp6 (proc_net_tcp.txt of the kernel's documentation).</summary>
internal static class ProcNetTcp
{
    /// <summary>The number of sockets on the server's ports in a state.</summary>
    internal static int Count(LabOptions options, int state)
    {
        string wanted = state.ToString("X2", CultureInfo.InvariantCulture);
        int count = 0;
        foreach (string file in new[] { "/proc/thread-self/net/tcp", "/proc/thread-self/net/tcp6" })
        {
            if (!File.Exists(file)) // a kernel without IPv6
            {
                continue;
            }

            foreach (string line in File.ReadLines(file))
            {
                // "  0: 0100007F:1388 0100007F:C350 06 …": number, local, remote, state
                string[] words = line.Split(' ', 5, StringSplitOptions.RemoveEmptyEntries);
                if (words[3] == wanted && IsServerPort(options, words[1]))
                {
                    count++;
                }
            }
        }
        return count;
    }

    private static bool IsServerPort(LabOptions options, string local)
    {
        int port = int.Parse(local.AsSpan(local.IndexOf(':') + 1), NumberStyles.HexNumber, CultureInfo.InvariantCulture);
        int offset = port - options.Port;
        return options.PortStep == 0
            ? offset == 0
            : offset >= 0 && offset % options.PortStep == 0 && offset / options.PortStep < options.Ports;
    }
}
