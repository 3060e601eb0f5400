namespace TcpCloser.Matrix;

/// <summary>
/// The namespaces of one row: network, pid and mount namespace with their own /proc, and, if the row searches more than its own
/// network namespace, a second one. It has the name "other" if the run names it; if the run searches all namespaces, only its processes
/// show it, like those of a container. Everything in the namespaces ends with this object.
/// </summary>
internal sealed class Home : IDisposable
{
    /// <summary>The name of the second network namespace for ip-netns(8), inside the row's own mount namespace.</summary>
    internal const string Other = "other";
    private readonly Command _first;
    private readonly string _otherNetwork;

    internal Home(Row row, CopiedBinaries binaries, CgroupPair? cgroups)
    {
        List<string> script = [Addresses("ip", row)];
        if (row.Namespace != "own")
        {
            script.AddRange(["mkdir -p /run/netns", "mount -t tmpfs none /run/netns", $"ip netns add {Other}", Addresses($"ip -n {Other}", row)]);
            script.Add($"mount --bind /run/netns/{Other} {binaries.NamespaceFile}");
            if (row.Namespace == "all")
            {
                script.AddRange(
                [
                    $"nsenter --net={binaries.NamespaceFile} sleep infinity &",
                    $"until test $(stat -Lc %i /proc/$!/ns/net) = $(stat -c %i {binaries.NamespaceFile}); do sleep 0.01; done",
                    $"ip netns del {Other}",
                ]);
            }
        }

        if (row.Selector == "tmpfs" && cgroups is not null)
        {
            // A tmpfs numbers its files from 1, the root, in the order of their creation.
            long number = cgroups.IdOfFirst;
            script.Add($"mount -t tmpfs -o nr_inodes=0 none {binaries.MountPoint}");
            script.Add($"cd {binaries.MountPoint}; {(number > 2 ? $"seq 2 {number - 1} | xargs -r touch; " : "")}mkdir same; test $(stat -c %i same) = {number}; cd /");
        }

        script.AddRange(["echo READY", "exec cat"]);
        _first = Command.Start("unshare", "-n", "-p", "-f", "-m", "--mount-proc", "--kill-child", "sh", "-ec", string.Join('\n', script));
        _otherNetwork = binaries.NamespaceFile;
        _first.Await("READY");
        Id = Command.Descendants(_first.Id)[0];
    }

    /// <summary>The pid, in the suite's pid namespace, of process 1 of the row's pid namespace.</summary>
    internal int Id { get; }

    /// <summary>The command prefix that runs a command in these namespaces, as a child of nsenter, which stays outside.</summary>
    internal string[] Enter(bool other = false)
        => ["nsenter", "-t", $"{Id}", "-p", "-m", other ? $"--net=/proc/{Id}/root{_otherNetwork}" : $"--net=/proc/{Id}/ns/net", "--"];

    public void Dispose() => _first.Dispose();

    /// <summary>
    /// Script lines for the loopback device with the addresses of every group of connections, and a second path for
    /// MPTCP.
    /// </summary>
    private static string Addresses(string ip, Row row)
    {
        List<string> lines = ["link set lo up"];
        for (int i = 1; i <= Scene.Addresses; i++)
        {
            lines.Add($"addr add {Scene.Address(i, isV6: false)}/32 dev lo");
            lines.Add($"addr add {Scene.Address(i, isV6: true)}/128 dev lo nodad");
        }

        if (row.HasTwoSubflows)
        {
            lines.Add("mptcp limits set subflows 2 add_addr_accepted 2");
            string flags = row.Connection == "mptcp-busy" ? "subflow backup" : "subflow";
            lines.Add($"mptcp endpoint add {Scene.Address(Scene.Addresses, isV6: false)} dev lo {flags}");
            lines.Add($"mptcp endpoint add {Scene.Address(Scene.Addresses, isV6: true)} dev lo {flags}");
        }

        // The kernel adds the routes of IPv6 addresses a little later.
        string addresses = string.Join(' ', Enumerable.Range(1, Scene.Addresses).Select(static i => Scene.Address(i, isV6: true)));
        return $"{ip} -batch - <<'END'\n{string.Join('\n', lines)}\nEND\nfor a in {addresses}; do until {ip} -6 route get $a >/dev/null 2>&1; do sleep 0.01; done; done";
    }
}
