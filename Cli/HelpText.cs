namespace TcpCloser.Cli;

/// <summary>What <c>--help</c> and <c>--version</c> print.</summary>
internal static class HelpText
{
    public const string Version = "tcp-closer " + BuildInfo.Version + Variant + "\n";

#if NO_SOCK_DESTROY
    private const string Variant = " (NO_SOCK_DESTROY)";

    private const string Methods =
        """
        Closing (this build has no SOCK_DESTROY: it always kills the owners)
          --use-proc, --use_proc   implied: find the processes that hold the socket in
                                   /proc and signal them

        """;
#else
    private const string Variant = "";

    private const string Methods =
        """
        Closing (default: SOCK_DESTROY, the kernel aborts the connection)
          --use-proc, --use_proc   find the processes that hold the socket in /proc and
                                   signal them instead

        """;
#endif

    public const string Help =
        """
        tcp-closer finds dead TCP connections and closes them.

        Usage: tcp-closer [-4] [-6] -s PORTS | -d PORTS [options]

        Selecting (values of one option are alternatives, different options all hold)
          -4, -6                   IPv4 (default; also on dual-stack sockets), IPv6
          -s, --sport LIST         source (local) ports, such as 22,80,8000-8999
          -d, --dport LIST         destination (remote) ports
              --state LIST         TCP states and groups by ss's names (established);
                                   listening sockets only where listen is named

        How long idle (TIME: a number of ms, or with a unit ms, s, m, h, d)
          -t, --idle-time TIME     only where no data came for TIME (0: idle or not)
              --last-recv-limit TIME
                                   not where no data came for TIME or more (0: no limit)


        """ + Methods + """
              --signal NAME        what to signal with --use-proc (KILL)
          -n, --dry-run            show what would be closed, close nothing
          -i, --interval TIME      run as a service: now and every TIME (bare: seconds)

        Telling
          -f, --logfile PATH       append log lines to a file instead of stderr
              --disable-syslog     no copy of them to syslog
          -v, --verbose            also what was left alone and why, and the filter
          -h, --help               this text
              --version            the version

        Exit status: 0 done, 1 something could not be closed or written, 2 usage error,
        3 not possible here (no privilege, or the kernel lacks it).

        Examples
          tcp-closer -n -s 22 -t 2h         what idled two hours on port 22?
          tcp-closer -s 22 -t 2h            close it
          tcp-closer -6 -4 -d 5432 -t 30m   connections to a database, both families
          tcp-closer -s 8000-8999 -t 1h -i 60 -f /var/log/tcp-closer.log
                                            as a service, every minute

        """;
}
