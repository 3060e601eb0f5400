using TcpCloser.Rules;

namespace TcpCloser.Cli;

/// <content>Options for how to close connections, how many, and how often.</content>
internal static partial class OptionTable
{
    private static OptionEntry[] Closing() =>
    [
        new(OptionGroup.Closing, ["--method"], "METHOD", "how to close a connection:",
            static (builder, name, value) => builder.Rule.Method = SingleValue.Method(name, value))
        {
            Words = MethodName.HasDestroy
                ?
                [
                    new("auto", "destroy, or disconnect if not possible (default)"),
                    new("destroy", "SOCK_DESTROY: the kernel aborts the connection"),
                    new("disconnect", "fetch the socket from its holder and disconnect it"),
                    new("kill", "signal the processes that hold the socket"),
                    new("keepalive", "close nothing: enable TCP keepalive"),
                ]
                :
                [
                    new("kill", "signal the processes that hold the socket (default)"),
                    new("disconnect", "fetch the socket from its holder and disconnect it"),
                    new("auto", "disconnect"),
                    new("keepalive", "close nothing: enable TCP keepalive"),
                ],
            Manual =
                """
                How to close a connection: `auto` (the default), `destroy`, `disconnect`, `kill`, or `keepalive`, which closes nothing. The
                section METHODS describes what each does, what it needs, and what the applications at both ends observe. Only `kill` signals
                processes.
                """,
        },
        new(OptionGroup.Closing, ["--use-proc", "--use_proc"], "same as --method kill: SIGKILL, or --signal",
            static builder => builder.Rule.Method = Method.Kill)
        {
            Manual =
                """
                The same as --method kill: search /proc for the processes that hold the sockets, and send them SIGKILL, or the signal given
                by --signal. This also ends all other connections of these processes; the dry run shows their number.

                    tcp-closer -n -s 8080 -t 2h --use-proc
                """,
        },
        new(OptionGroup.Closing, ["--signal"], "NAME", "with kill: signal (default KILL; with --grace, TERM)",
            static (builder, name, value) => builder.Rule.NamedSignal = SingleValue.Signal(name, value))
        {
            Manual =
                """
                With --method kill, the signal to send: a name (`TERM`, `SIGTERM`) or a number from 1 to 64. The default is SIGKILL, or
                SIGTERM with --grace. Prefer TERM if the program handles it: the processes of PostgreSQL share memory, and if SIGKILL ends
                one of them, the server ends all sessions. If a process runs the same program as its parent, both a dry run and a real run
                warn about that.

                    tcp-closer -n -s 5432 -t 2h --use-proc --signal TERM
                """,
        },
        new(OptionGroup.Closing, ["--grace"], "TIME", "with kill: SIGKILL if still alive after TIME",
            static (builder, name, value) => builder.Rule.Grace = Time(builder, name, value, s_maxGrace))
        {
            Manual =
                """
                With --method kill, send the signal (SIGTERM unless --signal names another), wait for TIME, at most one day, and send
                SIGKILL to the processes that are still alive and still hold the socket. A signal to tcp-closer itself ends the wait; the
                connections are then reported as `not_awaited`, and no SIGKILL is sent.

                    tcp-closer -n -s 5432 -t 2h --method kill --grace 10s
                """,
        },
        new(OptionGroup.Closing, ["--keepalive"], "IDLE[,INTERVAL[,COUNT]]",
            "with keepalive: parameters (default 60s,10s,6)",
            static (builder, name, value) => builder.Rule.Keepalive = SingleValue.Keepalive(name, value))
        {
            Manual =
                """
                With --method keepalive, the parameters to set: TCP_KEEPIDLE, TCP_KEEPINTVL and TCP_KEEPCNT (see tcp(7)). IDLE and INTERVAL
                are times in whole seconds from 1s to 32767s, COUNT is a number from 1 to 127. The default is `60s,10s,6`, for sockets
                without keepalive only. If this option is given, sockets that already have keepalive get these parameters, too. Keep INTERVAL
                below IDLE: the kernel never probes more often than every INTERVAL.

                    tcp-closer -n -d 5432 --method keepalive --keepalive 200s
                """,
        },
        new(OptionGroup.Closing, ["--user-timeout"], "TIME", "with keepalive: TCP_USER_TIMEOUT (default: unchanged)",
            static (builder, name, value) =>
            {
                builder.UserTimeout = value;
                builder.Rule.UserTimeout = TimeValue.Parse(name, value, 1, TimeSpan.FromMilliseconds(int.MaxValue));
            })
        {
            Manual =
                """
                With --method keepalive, also set TCP_USER_TIMEOUT: how long data may remain unacknowledged before the kernel ends the
                connection. It has to be at least IDLE + INTERVAL x COUNT of --keepalive, because it also limits how long keepalive waits.
                By default it is unchanged.

                    tcp-closer -n -d 443 --method keepalive --user-timeout 2m
                """,
        },
        new(OptionGroup.Closing, ["--max"], "N", "close nothing if more than N would be closed",
            static (builder, name, value) => builder.Rule.Max = SingleValue.Max(name, value))
        {
            Manual =
                """
                Close nothing, and exit with status 4, if more than N connections would be closed in one round, over all network namespaces.
                For --method kill, the other connections that the processes would lose also count. It protects against a rule that matches
                more than intended, and against an outage of this machine's own network, in which every peer is silent. A service tries
                again in the next round.

                    tcp-closer -s 5432 -t 2h --max 50
                """,
        },
        new(OptionGroup.Closing, ["--limit"], "N", "close at most N in one round, the longest idle first",
            static (builder, name, value) => builder.Rule.Limit = SingleValue.Max(name, value))
        {
            Manual =
                """
                Close at most N connections in one round, over all network namespaces, the longest idle first. The others are skipped as
                `over_limit`. In a service, it spreads the load of the clients that reconnect over several rounds. It is applied before
                --max, and cannot be combined with --method keepalive.

                    tcp-closer -i 10s -s 8883 -t 1d --limit 100
                """,
        },
        new(OptionGroup.Closing, ["--keep"], "N/KEY", "skip the N least idle of each group (see --group-by)",
            static (builder, name, value) => builder.Rule.Keep = SingleValue.Keep(name, value))
        {
            Manual =
                """
                In each group of matching connections with the same KEY, one of the keys of --group-by, skip the N that are least idle
                (`kept`), and close only the others. Use it for a pool that leaks, or a client that hoards connections.

                    tcp-closer -n -s 5432 -t 10m --keep 20/peer
                """,
        },
        new(OptionGroup.Closing, ["--include-own-session"], "also close the connection of your session",
            static builder => builder.Rule.IncludeOwnSession = true)
        {
            Manual =
                """
                Also close the connection of your session, which is otherwise skipped and reported as `spared`: a connection that an
                ancestor of the program holds, that SSH_CONNECTION names, or, inside tmux or screen, that an attached client uses. In a
                login session with an ancestor that cannot be inspected, all connections of login daemons (sshd, dropbear, telnetd) are
                spared.
                """,
        },
        new(OptionGroup.Closing, ["-i", "--interval"], "TIME", "run as a service, every TIME (without unit: seconds)",
            static (builder, name, value) => builder.Run.Interval = SingleValue.Interval(name, value, s_maxInterval))
        {
            Manual =
                """
                Run as a service: one round now and one every TIME, until a signal ends it (see AS A SERVICE). TIME without a unit is in
                seconds. Rounds neither overlap nor drift. Without this option the program runs once; with NOTIFY_SOCKET set, that is a
                usage error, because a service manager would start it again and again.

                    tcp-closer -i 1m -s 5432 -t 2h --max 50
                """,
        },
    ];
}
