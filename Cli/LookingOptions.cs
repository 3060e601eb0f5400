namespace TcpCloser.Cli;

/// <content>Options that only look.</content>
internal static partial class OptionTable
{
    private static OptionEntry[] Looking() =>
    [
        new(OptionGroup.Looking, ["-n", "--dry-run"], "show what would be closed; close nothing",
            static builder => builder.Run.DryRun = true)
        {
            Manual =
                """
                Do everything that the run would do except the last step: no connection is closed, no process is signalled, no option is
                set, and nothing is written to syslog. The connections that would be closed are printed as a table on stdout, the longest
                idle first, with the time since data was received and sent, the process that holds each, and the method that would close it.

                A connection that the method could not close is shown as `not possible`, with the reason, and counts as failed. The counts
                and the exit status are those of a real run, as far as they can be known. A dry run needs no privilege. If it cannot inspect
                the processes of other users, it shows `uid=` instead of a process, and `?` instead of what a real run would do.

                With --probe it does probe the peers, which needs the same privileges as a real run. A peer that no longer knows a
                connection, because it was rebooted or its address moved, answers with a reset, which ends the connection: it is dead, and
                counts as `reset` or `vanished`.

                    tcp-closer -n -s 5432 -t 2h --probe 10s
                """,
        },
        new(OptionGroup.Looking, ["--group-by"], "KEY",
            "count connections by port, peer, process, command, uid, unit, pod, state or netns (--probe: by verdict)",
            static (builder, name, value) => builder.Run.GroupBy = SingleValue.GroupKey(name, value))
        {
            Manual =
                """
                Count all matching connections by KEY and by the time since data was received, and close nothing. In the table on stdout,
                the group with the largest number of idle connections comes first. --group-by needs no selection and, without --probe, no
                privilege. It accepts every option that selects. It looks at both families and, unless --state is given, at all states
                except `listen` and `time-wait`.

                KEY is `port` (the port of the listening side), `peer` (the remote address), `process` (name and process ID), `command`
                (name only), `uid`, `unit` (systemd unit, slice or container, by the cgroup of the socket), `pod` (Kubernetes), `state` or
                `netns`.

                With --probe, the columns are the verdicts on the peers: answered, silent, unproved and unasked. This shows which service,
                or which remote host, has dead connections. --group-by cannot be combined with -i, --max, --limit or --keep, which are about
                closing.

                    tcp-closer --group-by peer --probe 5s
                """,
        },
        new(OptionGroup.Looking, ["--check"], "report what is possible here; close nothing",
            static builder => builder.Run.Check = true)
        {
            Manual =
                """
                Try each feature without closing anything, and print one line for each: `yes`, `partly` (some processes refuse; the first is
                named) or `no`, with the reason and the remedy. The last line, `close-all`, and the exit status report whether the
                connections of every user can be closed without signalling processes: 0 if they can, 3 if not. With the -i and --metrics of
                a service, a line `service` reports whether it makes its rounds; if only that is not so, the exit status is 1. With --uid,
                only processes of these users are tried. It needs no selection.

                    tcp-closer --check
                """,
        },
    ];
}
