namespace TcpCloser.Cli;

/// <content>Options for logs, records and metrics.</content>
internal static partial class OptionTable
{
    private static OptionEntry[] Output() =>
    [
        new(OptionGroup.Output, ["-v", "--verbose"], "also log skipped connections and why, and the filter",
            static builder => builder.Run.Verbose = true)
        {
            Manual =
                """
                Also log each connection that matched and was skipped, with the reason; the process that holds it (`pid=`, `comm=`), its
                round-trip time, send window and queues; and the filter that the kernel runs. It cannot be combined with -q.
                """,
        },
        new(OptionGroup.Output, ["-q", "--quiet"], "warnings and errors only, on stderr even with -f",
            static builder => builder.Run.Quiet = true)
        {
            Manual =
                """
                Log warnings and errors only, on stderr even with -f, so that cron(8) sends mail only if something is wrong. The table of a
                dry run is still printed.
                """,
        },
        new(OptionGroup.Output, ["--json"], "one JSON object per line on stdout",
            static builder => builder.Run.Json = true)
        {
            Manual =
                """
                Print one JSON object per line on stdout (see RECORDS), instead of the tables of -n, --group-by and --check. A single run
                prints every matching connection with its outcome, a service only those that it closed, spared or could not close; both
                print a summary. If the reader goes away, the records end, which is reported once and makes the exit status 1; connections
                are closed nevertheless.

                    tcp-closer -n -q --json -s 22 -t 2h |
                        jq -r 'select(.outcome == "would_close") | .remote_address'
                """,
        },
        new(OptionGroup.Output, ["-f", "--logfile"], "PATH", "append log lines to a file instead of stderr",
            static (builder, name, value) => builder.Run.LogFile = SingleValue.Path(name, value))
        {
            Manual =
                """
                Append log lines to PATH instead of stderr: a regular file, which is created with mode 0640, a FIFO that has a reader, or a
                character device. A path on procfs or sysfs is refused. SIGHUP reopens it. A file that cannot be opened is a usage error; if
                a later write fails, that is reported on stderr, and the run continues and ends with status 1.
                """,
        },
        new(OptionGroup.Output, ["--disable-syslog", "--disable_syslog"], "do not copy log lines to syslog",
            static builder => builder.Run.Syslog = false)
        {
            Manual =
                """
                Do not copy log lines to syslog. By default they are copied there, with the facility daemon and the tag `tcp-closer`. There
                is no copy in a dry run either, nor if stderr is the journal. A missing syslog daemon is not an error.
                """,
        },
        new(OptionGroup.Output, ["--name"], "NAME", "name in logs, records and metrics (rule=NAME)",
            static (builder, name, value) => builder.Rule.Name = SingleValue.Name(name, value))
        {
            Manual =
                """
                The name of this rule (the options of one run or service), 1 to 64 bytes: `rule=` in log lines, `rule` in records and
                metrics. It distinguishes several services that log to the same place. The systemd unit sets it to the name of the instance.
                """,
        },
        new(OptionGroup.Output, ["--metrics"], "FILE", "counters for node_exporter's textfile collector",
            static (builder, name, value) => builder.Run.Metrics = SingleValue.Path(name, value))
        {
            Manual =
                """
                After each round, replace FILE with the counts since the start, in the text format of Prometheus, for the textfile collector
                of node_exporter (see METRICS). FILE should end in `.prom`, and each run needs its own. It is written as FILE.new, with mode
                0644, and renamed. A file that cannot be written is reported and makes the exit status 1; connections are closed
                nevertheless.

                    tcp-closer -i 1m -s 22 -t 2h --name ssh \
                        --metrics /var/lib/prometheus/node-exporter/ssh.prom
                """,
        },
        new(OptionGroup.Output, ["-h", "--help"], "show this help",
            static builder => builder.Text = HelpText.Help())
        {
            Manual =
                """
                Print a summary of the options on stdout, and exit.
                """,
        },
        new(OptionGroup.Output, ["--version"], "show the version",
            static builder => builder.Text = HelpText.Version)
        {
            Manual =
                """
                Print the version on stdout, and exit. `(NO_SOCK_DESTROY)` marks a build without SOCK_DESTROY, in which kill is the default
                method.
                """,
        },
    ];
}
