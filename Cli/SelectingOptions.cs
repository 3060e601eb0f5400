using TcpCloser.Rules;

namespace TcpCloser.Cli;

/// <content>Options that select connections.</content>
internal static partial class OptionTable
{
    private static OptionEntry[] Selecting() =>
    [
        new(OptionGroup.Selecting, ["-4"], "IPv4, including dual-stack sockets",
            static builder => builder.Rule.Families |= Families.IPv4)
        {
            Manual =
                """
                Look at all IPv4 connections, including those of dual-stack IPv6 sockets (`::ffff:a.b.c.d`), which are printed as IPv4. Give
                -4 and -6 for both families; a connection that both select is closed and counted once.

                Without -4 and -6, the addresses of --src and --dst decide the family. Without addresses, ports mean IPv4. A run with
                neither addresses nor ports looks at both families, and so does --group-by. If nothing matches, the run reports how many
                connections of the other family do.

                    tcp-closer -n -4 -6 -d 5432 -t 30m
                """,
        },
        new(OptionGroup.Selecting, ["-6"], "IPv6 (default: family of the addresses; with ports only, IPv4; otherwise both)",
            static builder => builder.Rule.Families |= Families.IPv6)
        {
            Manual =
                """
                Look at all connections of IPv6 sockets. With -6 alone, an IPv4 address in --src or --dst selects connections of dual-stack
                sockets.
                """,
        },
        new(OptionGroup.Selecting, ["-s", "--sport"], "LIST", "source (local) ports: 22,80,8000-8999,postgresql",
            static (builder, name, value) => PortList.Parse(name, value, builder.Rule.SourcePorts))
        {
            Manual =
                """
                Source (local) ports; on a server, the ports on which it listens. A port is a number from 1 to 65535, a range, or a name
                from /etc/services, such as `postgresql`. The number of ports is not limited.

                    tcp-closer -n -s 22,80,8000-8999 -t 1h
                """,
        },
        new(OptionGroup.Selecting, ["-d", "--dport"], "LIST", "destination (remote) ports",
            static (builder, name, value) => PortList.Parse(name, value, builder.Rule.DestinationPorts))
        {
            Manual =
                """
                Destination (remote) ports, in the form of -s. On a client, the port of the server is the destination port.
                """,
        },
        new(OptionGroup.Selecting, ["--src"], "LIST", "local addresses or prefixes: 10.0.0.0/8",
            static (builder, name, value) => AddressList.Parse(name, value, builder.Rule.Sources))
        {
            Manual =
                """
                Local addresses and prefixes: `10.0.0.0/8`, `2001:db8::1`, `[2001:db8::1]`, `fe80::1%eth0`. `::ffff:10.0.0.1` means
                10.0.0.1. To select a port as well, add -s or -d. An address that no connection of the chosen families can have is a usage
                error.

                    tcp-closer -n --src 10.0.0.5,2001:db8::/32 -s 443 -t 1h
                """,
        },
        new(OptionGroup.Selecting, ["--dst"], "LIST", "remote addresses or prefixes",
            static (builder, name, value) => AddressList.Parse(name, value, builder.Rule.Destinations))
        {
            Manual =
                """
                Remote addresses and prefixes, in the form of --src. Host names are refused, because the program does not resolve names; use
                getent(1):

                    tcp-closer -n --dst "$(getent ahosts db.example.com |
                        awk '/STREAM/ { print $1 }' | paste -sd,)"
                """,
        },
        new(OptionGroup.Selecting, ["--not-src"], "LIST", "exclude local addresses or prefixes",
            static (builder, name, value) => AddressList.Parse(name, value, builder.Rule.NotSources))
        {
            Manual =
                """
                Exclude local addresses and prefixes. An exclusion selects nothing by itself and does not decide the family. This applies to
                all options that begin with `--not-`.
                """,
        },
        new(OptionGroup.Selecting, ["--not-dst"], "LIST", "exclude remote addresses or prefixes",
            static (builder, name, value) => AddressList.Parse(name, value, builder.Rule.NotDestinations))
        {
            Manual =
                """
                Exclude remote addresses and prefixes.

                    tcp-closer -n -s 443 -t 1h --not-dst 10.0.0.0/8,192.168.0.0/16
                """,
        },
        new(OptionGroup.Selecting, ["--src-gone"], "connections whose local address no longer exists",
            static builder => builder.Rule.SrcGone = true)
        {
            Manual =
                """
                Connections whose local address the network namespace no longer has: a virtual IP that has moved, an expired lease, a VPN
                that went down. It is a selection by itself. The addresses are read after the connections, from the local routes of all
                tables. If a local route covers every address (TPROXY), none can be missing, and one warning reports that.

                The connection works again if the address returns, so combine this option with -t. There is no route for the reset to an
                IPv4 peer, so the peer is not notified. If that matters, close the connections by --src before the address is removed.

                    tcp-closer -n --src-gone -t 1m
                """,
        },
        new(OptionGroup.Selecting, ["--state"], "LIST", "TCP states, as named by ss (default established)",
            static (builder, name, value) => builder.Rule.States |= StateList.Parse(name, value))
        {
            Manual =
                """
                TCP states: `established` (the default), `syn-sent`, `syn-recv`, `fin-wait-1`, `fin-wait-2`, `time-wait`, `closed`,
                `close-wait`, `last-ack`, `listen`, `closing`. The spellings that ss(8) and netstat(8) print are accepted (`ESTAB`,
                `CLOSE_WAIT`), and so are the groups of ss: `all`, `connected`, `synchronized`, `bucket`, `big`. No group contains `listen`:
                closing a listener ends a service, so it has to be named.

                States that follow a close are a selection by themselves: `time-wait` always; `close-wait`, `fin-wait-1`, `fin-wait-2`,
                `last-ack` and `closing` only together with -t or --matched-for. A connection in `close-wait` waits for its own program to
                close it: many of them indicate a leak in that program, which closing them does not fix. In `time-wait`, and in an orphaned
                `fin-wait-2`, destroy needs Linux 6.0. The peer of a connection in `syn-recv` is not notified.

                    tcp-closer -n -s 8080 --state close-wait -t 10m
                """,
        },
        new(OptionGroup.Selecting, ["--uid"], "LIST", "users that the socket belongs to, by name or number",
            static (builder, name, value) => UserList.Parse(name, value, builder.Rule.Uids))
        {
            Manual =
                """
                Users that the socket belongs to, by number or by name in /etc/passwd: the user under which a process created or accepted
                it. A socket that no process has open belongs to no user. In a user namespace that does not map all users, the number that
                stands for the others (usually 65534) is refused.

                    tcp-closer -n --uid 33 -t 1h
                """,
        },
        new(OptionGroup.Selecting, ["--not-uid"], "LIST", "exclude users",
            static (builder, name, value) => UserList.Parse(name, value, builder.Rule.NotUids))
        {
            Manual =
                """
                Exclude connections whose socket belongs to one of these users, and connections that a listener of theirs has not accepted
                yet.
                """,
        },
        new(OptionGroup.Selecting, ["--pid"], "LIST", "processes that hold the socket, by process ID",
            static (builder, name, value) => PidList.Parse(name, value, builder.Rule.Pids))
        {
            Manual =
                """
                Connections that one of these processes has open. Processes are looked up in each round; one that does not exist matches
                nothing, with a warning. With both --pid and --comm, one process has to match both. A process that cannot be inspected is an
                error, not an empty result: inspecting the processes of other users needs CAP_SYS_PTRACE and CAP_DAC_READ_SEARCH. If a
                process is in another network namespace, the run reports the --netns to add.
                """,
        },
        new(OptionGroup.Selecting, ["--comm"], "LIST", "processes that hold the socket, by name (comm)",
            static (builder, name, value) => CommList.Parse(name, value, builder.Rule.Comms))
        {
            Manual =
                """
                Connections that a process with one of these names has open. The name is that in /proc/PID/comm, at most 15 bytes long. A
                process can change its name; --cgroup does not depend on names and needs no privilege.

                    tcp-closer -n --comm nginx,haproxy -t 1h
                """,
        },
        new(OptionGroup.Selecting, ["--not-comm"], "LIST", "exclude processes by name",
            static (builder, name, value) => CommList.Parse(name, value, builder.Rule.NotComms))
        {
            Manual =
                """
                Exclude connections that a process with one of these names has open. If there is such a process, connections that no process
                has accepted yet are excluded, too. If some processes cannot be inspected, no connection that a process holds is closed.
                """,
        },
        new(OptionGroup.Selecting, ["--cgroup"], "LIST", "cgroups and all below: nginx.service, container IDs",
            static (builder, name, value) => CgroupList.Parse(name, value, builder.Rule.Cgroups))
        {
            Manual =
                """
                Connections whose socket was created in one of these cgroups (v2), or in a cgroup below it. Each is a path as
                /proc/PID/cgroup, `systemctl show -P ControlGroup` or the file system spells it (`/system.slice/nginx.service`,
                `/sys/fs/cgroup/system.slice`), the name of a unit, slice or scope (`nginx.service`), or the ID of a container, at least 12
                digits of it, as docker, containerd, CRI-O and podman print it.

                It needs Linux 5.9 and no privilege. A path that is not a cgroup is a usage error. A cgroup that does not exist now matches
                nothing, with a warning. A socket stays in the cgroup in which it was created, even if its process moves.

                    tcp-closer -n --cgroup nginx.service -t 1h
                """,
        },
        new(OptionGroup.Selecting, ["--not-cgroup"], "LIST", "exclude cgroups and all below",
            static (builder, name, value) => CgroupList.Parse(name, value, builder.Rule.NotCgroups))
        {
            Manual =
                """
                Exclude connections whose socket was created in one of these cgroups, or below.
                """,
        },
        new(OptionGroup.Selecting, ["--pod"], "NAMESPACE/NAME", "Kubernetes pods; each part may end in *",
            static (builder, name, value) => PodList.Parse(name, value, builder.Rule.Pods))
        {
            Manual =
                """
                Connections of a Kubernetes pod on this node. NAMESPACE and NAME may each end in `*`. Pods are found by the cgroups of the
                kubelet and its log directory, /var/log/pods; the API server is not queried. A pod that is not on the host network has a
                network namespace of its own, so add --all-netns.

                    tcp-closer -n --pod 'shop/web-*' --all-netns -t 1h
                """,
        },
        new(OptionGroup.Selecting, ["--only"], "FILE", "connections named in FILE (-: stdin), one per line",
            static (builder, name, value) => builder.Rule.Only.Add(SingleValue.Path(name, value)))
        {
            Manual =
                """
                Exactly the connections that FILE, or stdin (`-`), names, one per line: records of --json, lines as `ss -tn` and `ss -tne`
                print them, or two endpoints, `10.0.0.1:22 10.0.0.2:5000`. A line with a cookie (`cookie`, `sk:`) selects only that socket,
                never a later one between the same endpoints. All other options have to match as well, so give the time limit again. Records
                of connections that the earlier run skipped (busy, answered, kept and so on) are ignored, and a line reports their number. A
                line that names no connection is an error; a connection that does not match is counted as `not_found`. A service reads the
                file again in each round, and cannot read stdin; write another file and rename it, so that no round reads a half-written
                one.

                    tcp-closer -n --json -s 5432 -t 2h >list
                    tcp-closer --only list -t 2h
                """,
        },
        new(OptionGroup.Selecting, ["--interface"], "DEV", "device that the socket is bound to",
            static (builder, name, value) => builder.Rule.Interfaces.Add(SingleValue.Device(name, value)))
        {
            Manual =
                """
                Sockets that are bound to the network device DEV (SO_BINDTODEVICE). Few sockets are; for the connections whose packets pass
                through a device, select its addresses by --src. A device that does not exist matches nothing, with a warning.
                """,
        },
        new(OptionGroup.Selecting, ["--mark"], "M[/MASK]", "firewall mark of the socket",
            static (builder, name, value) => builder.Rule.Marks.Add(SingleValue.Mark(name, value)))
        {
            Manual =
                """
                Sockets with the mark M (SO_MARK), decimal or hexadecimal; with MASK, only these bits are compared. Without CAP_NET_ADMIN,
                the kernel hides marks, and the run ends with status 3.

                    tcp-closer -n --mark 0x10/0xff -t 1h
                """,
        },
        new(OptionGroup.Selecting, ["--netns"], "NAME|PATH|pid:N", "look in another network namespace",
            static (builder, name, value) => builder.Rule.Netns.Add(SingleValue.Netns(name, value)))
        {
            Manual =
                """
                Look in this network namespace instead of the program's own: a NAME in /run/netns (see ip-netns(8)), a PATH, which has a
                slash, or that of process N. It needs CAP_SYS_ADMIN, and for `pid:` CAP_SYS_PTRACE. A namespace that cannot be entered is an
                error, but the others are still searched. For your own rootless containers, run the program under `podman unshare`.

                    tcp-closer -n --netns pid:$(docker inspect -f {{.State.Pid}} web) -s 80
                """,
        },
        new(OptionGroup.Selecting, ["--all-netns"], "look in all network namespaces",
            static builder => builder.Rule.AllNetns = true)
        {
            Manual =
                """
                Look in the program's own network namespace, in those of all processes, and in those in /run/netns and /run/docker/netns. A
                namespace that ends in the meantime is not an error. --max and --limit count over all of them.

                    tcp-closer -n --all-netns --state close-wait -t 10m
                """,
        },
    ];
}
