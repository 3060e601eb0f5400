namespace TcpCloser.Cli;

/// <summary>What <c>--help</c> and <c>--version</c> print.</summary>
internal static class HelpText
{
    public const string Version = "tcp-closer " + BuildInfo.Version + Variant + "\n";

#if NO_SOCK_DESTROY
    private const string Variant = " (NO_SOCK_DESTROY)";

    private const string Methods =
        """
        Closing (this build has no SOCK_DESTROY and kills: --use-proc is implied)
              --method kill, --use-proc, --use_proc
                                   find the processes that hold the socket in /proc
                                   and signal them (default)
              --method disconnect  fetch the socket from its owner and disconnect it;
                                   no process is touched
              --method auto        disconnect

        """;
#else
    private const string Variant = "";

    private const string Methods =
        """
        Closing
              --method auto        destroy, or disconnect where the kernel has no
                                   SOCK_DESTROY (default)
              --method destroy     SOCK_DESTROY: the kernel aborts the connection
              --method disconnect  fetch the socket from its owner and disconnect it
              --method kill, --use-proc, --use_proc
                                   find the processes that hold the socket in /proc
                                   and signal them

        """;
#endif

    public const string Help =
        """
        tcp-closer finds dead TCP connections and closes them.

        Usage: tcp-closer [-4] [-6] SELECTION [options]

        Selecting (values of one option are alternatives; different options all hold;
        LIST has commas; every option may be repeated)
          -4, -6                   IPv4 (default; also on dual-stack sockets), IPv6
          -s, --sport LIST         source (local) ports, such as 22,80,8000-8999
          -d, --dport LIST         destination (remote) ports
              --src, --dst LIST    local, remote addresses or prefixes: 10.0.0.0/8
              --not-src, --not-dst LIST
                                   not these
              --state LIST         TCP states and groups by ss's names (established);
                                   listening sockets only where listen is named
              --uid USER, --pid PID, --comm NAME
                                   the socket's owner
              --interface DEV      the device the socket is bound to
              --mark M[/MASK]      the socket's mark
              --cgroup PATH        the socket's cgroup (v2)
              --netns NAME|PATH|pid:N, --all-netns
                                   look in other network namespaces

        How long idle (TIME: a number of ms, or with a unit ms, s, m, h, d)
          -t, --idle-time TIME     only where no data came for TIME (0: idle or not)
              --last-recv-limit TIME
                                   not where no data came for TIME or more (0: no limit)
              --idle-by recv|send|both
                                   which direction counts for both of these (recv)
              --no-ack-for TIME    only where data is in flight and nothing was
                                   acknowledged for TIME


        """ + Methods + """
              --signal NAME        with kill: the signal (KILL; with --grace, TERM)
              --grace TIME         with kill: SIGKILL for what still lives after TIME
          -n, --dry-run            show what would be closed, close nothing
              --max N              where more than N would be closed, close none
              --include-own-session
                                   also the connection of your own ssh session
          -i, --interval TIME      run as a service: now and every TIME (bare: seconds)
              --check              say what is possible here, and close nothing

        Telling
          -f, --logfile PATH       append log lines to a file instead of stderr
              --disable-syslog     no copy of them to syslog
          -v, --verbose            also what was left alone and why, and the filter
              --json               a JSON object a line on stdout
          -h, --help               this text
              --version            the version

        Exit status: 0 done, 1 something could not be closed, looked at or written,
        2 usage error, 3 not possible here (no privilege, or the kernel lacks it),
        4 more than --max.

        Examples
          tcp-closer -n -s 22 -t 2h         what idled two hours on port 22?
          tcp-closer -s 22 -t 2h            close it
          tcp-closer --dst 10.1.0.0/16 --no-ack-for 2m
                                            close what talks to a network that is gone
          tcp-closer -4 -6 -d 5432 -t 30m --max 50
                                            connections to a database, but not too many
          tcp-closer -s 8000-8999 -t 1h -i 60 -f /var/log/tcp-closer.log
                                            as a service, every minute

        """;
}
