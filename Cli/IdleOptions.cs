namespace TcpCloser.Cli;

/// <content>Options that distinguish dead connections from quiet ones.</content>
internal static partial class OptionTable
{
    private static OptionEntry[] Idle() =>
    [
        new(OptionGroup.Idle, ["--probe"], "TIME", "close only if probes get no answer for TIME (3s-5m)",
            static (builder, name, value) => builder.Rule.Probe = SingleValue.Probe(name, value))
        {
            Manual =
                """
                Probe the peer of each connection that meets all other conditions, and close only connections whose peer does not answer for
                TIME, from 3s to 5m. All peers are probed together, so the run takes TIME, whatever their number. It ends earlier if all of
                them answer.

                The socket is fetched from a process that holds it, and one call makes the kernel send a segment like that of a keepalive,
                without data. No timer or option of the socket changes (SO_REUSEADDR, which the call clears, is set again at once), so
                probes may be repeated, even by a dry run. A peer counts as silent only after at least four probes. A peer that was heard
                from within the last second counts as alive without a probe.

                Answers come from the kernel of the peer: a hung program on a live host counts as alive. A middlebox that answers for a dead
                peer makes it look alive, and one that drops segments without data makes a live peer look dead. If the network of this
                machine is down, every peer is silent: set --max.

                Peers that cannot be judged are `unproved` (see OUTCOMES AND REASONS). Peers that cannot be probed, because no visible
                process holds the socket or a privilege is missing, are `unasked`: one warning has their number and the reasons, and the
                exit status is 1, or 3 if no peer could be probed. With --no-ack-for, a connection is closed if either option proves it
                dead.

                It needs Linux 5.6, CAP_NET_ADMIN and, for the sockets of other users, CAP_SYS_PTRACE and CAP_DAC_READ_SEARCH.

                    tcp-closer -n -s 443 -t 10m --probe 10s --max 100
                """,
        },
        new(OptionGroup.Idle, ["--no-ack-for"], "TIME", "close only if sent data provably got no ACK for TIME",
            static (builder, name, value) => builder.Rule.NoAckFor = IdleTime(builder, name, value))
        {
            Manual =
                """
                Close only connections that have sent something (data, a keepalive probe, a window probe) that the peer has provably not
                acknowledged for TIME. The option sends nothing, and finding these connections needs no privilege. A connection that was
                quiet and has just sent something is never closed. Connections without such a proof are skipped as `unproved`.

                The proof is the kernel's own retransmissions: how long it has been retransmitting, which Linux 6.7 and later report, or how
                far the retransmissions have backed off. ARP failures and ICMP unreachable messages reset the backoff. On older kernels, and
                after an earlier outage of the same connection, a peer that has left its LAN may therefore stay `unproved`; --probe finds
                it. In any case, nothing at all was received for TIME. The backoff proves at most two minutes, the longest retransmission
                timeout; a longer TIME is proven by two minutes of backoff and TIME of silence.

                If neither data nor a probe is outstanding, nothing can be proven, and the connection is skipped: to find dead peers of idle
                connections, use --probe.

                    tcp-closer -n --dst 10.1.0.0/16 --no-ack-for 2m
                """,
        },
        new(OptionGroup.Idle, ["-t", "--idle-time", "--idle_time"], "TIME", "close only if no data was received for TIME",
            static (builder, name, value) => builder.Rule.IdleTime = IdleTime(builder, name, value))
        {
            Manual =
                """
                Close only connections that have received no data for at least TIME, by the kernel's own clock. Acknowledgements and
                keepalive probes are not data: a client that is merely quiet looks like one that has vanished. The default, 0, closes idle
                and busy connections alike.

                For a connection that never received data, the time is measured from its establishment. After the peer's FIN (`close-wait`,
                `last-ack`, `closing`), an acknowledgement counts as well. Connections without a usable clock (`syn-sent`, `time-wait`) are
                skipped as `no_clock`. A verdict that is older than 100 ms is checked again right before the connection is closed.

                TIME without a unit is in milliseconds, as it was for tcp_closer: a bare number below 1000 causes a warning. The maximum is
                that of the kernel's clock, 49 days and 17 hours. If no connection is idle for long enough, the run reports the longest idle
                time.
                """,
        },
        new(OptionGroup.Idle, ["--last-recv-limit", "--last_recv_limit"], "TIME", "skip if no data was received for TIME or longer",
            static (builder, name, value) => builder.Rule.LastRecvLimit = IdleTime(builder, name, value))
        {
            Manual =
                """
                Skip connections that have received no data for TIME or longer (`beyond_limit`). Together with -t it selects a window of
                idle times, so TIME has to exceed that of -t. The default, 0, is no limit. Kernels before 4.11 report a meaningless idle
                time for connections that never received data; this option excludes them.

                    tcp-closer -n -s 22 -t 2h --last-recv-limit 30d
                """,
        },
        new(OptionGroup.Idle, ["--idle-by"], "recv|send|both", "direction for -t and --last-recv-limit (default recv)",
            static (builder, name, value) => builder.Rule.IdleBy = SingleValue.IdleBy(name, value))
        {
            Manual =
                """
                Which data counts for -t and --last-recv-limit: received (`recv`, the default), sent (`send`), or the more recent of the two
                (`both`). A server that streams to a client may receive nothing for hours; with `both`, such connections are skipped. If
                connections that would be closed have sent data within the idle time, one warning has their number.

                    tcp-closer -n -s 1935 -t 1h --idle-by both
                """,
        },
        new(OptionGroup.Idle, ["--matched-for"], "TIME", "with -i: close only what has matched for TIME",
            static (builder, name, value) => builder.Rule.MatchedFor = Time(builder, name, value, s_maxInterval))
        {
            Manual =
                """
                In a service, close only connections that have matched in every round for TIME. It measures what the kernel has no clock
                for: the time in a state, as far as this service has seen it, or the age of a connection that is never idle. Until then, the
                connection is skipped as `too_new`. The time starts again when the service is restarted. The option requires -i.

                    tcp-closer -i 10s -s 8080 --state close-wait --matched-for 1m
                """,
        },
    ];
}
