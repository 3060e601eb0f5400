using System.Diagnostics.CodeAnalysis;
using ConsoleAppFramework;

namespace TcpCloser.Lab;

/// <summary>
/// The Lab's commands: <c>hold</c> and <c>time</c> for operators, tests and scripts, the others for the processes that the Lab
/// starts itself.
/// </summary>
[SuppressMessage("Performance", "CA1822", Justification = "ConsoleAppFramework calls the methods of an instance.")]
internal sealed class Commands
{
    private const int UsageError = 2;

    /// <summary>
    /// Creates TCP connections in this network namespace and holds them; prints READY, then answers commands on stdin:
    /// state, list, processes, send, close-clients, close-servers, accept [LISTENER], wait-ended N MS, busy-off, reuse FROM TO,
    /// give SERVER-END PATH, leave-in-bus SERVER-END PATH, run PROGRAM ARGS, run-inheriting PROGRAM ARGS, quit.
    /// </summary>
    /// <param name="count">Number of connections.</param>
    /// <param name="family">v4, v6, dual (IPv4 clients of an IPv6 listener) or mapped (IPv4 with IPv6 sockets on both sides).</param>
    /// <param name="port">Listening port, or the first of several.</param>
    /// <param name="ports">Number of listening ports that the connections are spread over.</param>
    /// <param name="portStep">Distance between the listening ports.</param>
    /// <param name="listeners">Number of listening sockets on each port (SO_REUSEPORT; listen only).</param>
    /// <param name="address">Server's address (default: loopback of the family).</param>
    /// <param name="state">State of the server end: established, unaccepted, syn-sent (the client's), syn-recv, fin-wait-1, fin-wait-2, close-wait, last-ack, closing, time-wait, listen.</param>
    /// <param name="orphan">Close the server's descriptor in the states that continue without one.</param>
    /// <param name="processes">Number of processes that hold the server ends (and the client ends with them).</param>
    /// <param name="sharers">Number of additional processes that hold every server end as well.</param>
    /// <param name="clientProcess">Hold the client ends in a process of their own.</param>
    /// <param name="busy">Number of connections, the last ones, that exchange data.</param>
    /// <param name="every">Interval of that exchange in ms.</param>
    /// <param name="talker">Ends that send data in a busy connection: both, server, client; the others only read.</param>
    /// <param name="blocked">Block a thread in this call on each server end: none, read, write, poll, epoll; connect (client, syn-sent).</param>
    /// <param name="unread">Bytes that the client sends and the server does not read.</param>
    /// <param name="unsent">Bytes that the server writes and the client does not accept.</param>
    /// <param name="deaf">Drop everything that arrives at the client end, like a peer that is gone (before --unsent is written).</param>
    /// <param name="mptcp">Use MPTCP sockets.</param>
    /// <param name="bindDevice">SO_BINDTODEVICE of all sockets.</param>
    /// <param name="rebindDevice">SO_BINDTODEVICE of the ends once they are connected, independent of the path of their packets.</param>
    /// <param name="twinDevice">Create the clients in pairs with the same addresses and ports, the first of each bound to this device (syn-sent).</param>
    /// <param name="mark">SO_MARK of all sockets.</param>
    /// <param name="decoys">Number of additional idle connections, on the decoy port.</param>
    /// <param name="decoyPort">Port of the decoys.</param>
    /// <param name="decoyProcesses">Number of processes that hold none of the connections.</param>
    /// <param name="decoyFiles">Number of open descriptors of each of these processes.</param>
    /// <param name="ignoreTerm">Ignore SIGTERM in processes that hold connections.</param>
    /// <param name="cleanTerm">Shut the sockets down and exit 0 on SIGTERM in these processes.</param>
    /// <param name="processName">Name of the processes that hold connections (prctl PR_SET_NAME), bytes in hexadecimal.</param>
    /// <param name="thread">Thread that has the sockets open: first, own-table (another one, with its own descriptor table), first-ended (another one, after the first has ended).</param>
    public int Hold(
        int count = 1, string family = "v4", int port = 5000, int ports = 1, int portStep = 1, int listeners = 1, string address = "",
        string state = "established", bool orphan = false, int processes = 1, int sharers = 0, bool clientProcess = false, int busy = 0,
        int every = 10, string talker = "both", string blocked = "none", int unread = 0, int unsent = 0, bool deaf = false,
        bool mptcp = false, string bindDevice = "", string rebindDevice = "", string twinDevice = "", int mark = 0, int decoys = 0,
        int decoyPort = 6000, int decoyProcesses = 0, int decoyFiles = 0, bool ignoreTerm = false, bool cleanTerm = false,
        string processName = "", string thread = HolderThread.First)
    {
        LabOptions options = new()
        {
            Count = count,
            Family = family,
            Port = port,
            Ports = ports,
            PortStep = portStep,
            Listeners = listeners,
            Address = address,
            State = state,
            Orphan = orphan,
            Processes = processes,
            Sharers = sharers,
            ClientProcess = clientProcess,
            Busy = busy,
            EveryMs = every,
            Talker = talker,
            Blocked = blocked,
            Unread = unread,
            Unsent = unsent,
            Deaf = deaf,
            Mptcp = mptcp,
            BindDevice = bindDevice,
            RebindDevice = rebindDevice,
            TwinDevice = twinDevice,
            Mark = mark,
            Decoys = decoys,
            DecoyPort = decoyPort,
            DecoyProcesses = decoyProcesses,
            DecoyFiles = decoyFiles,
            ProcessName = processName,
            Thread = thread,
            OnTerm = cleanTerm ? "clean" : ignoreTerm ? "ignore" : "die",
        };
        if (options.Check() is { } error)
        {
            return Fail(error, UsageError);
        }
        return Hold(options);
    }

    /// <summary>
    /// Runs a program repeatedly, and prints for each run a line such as
    /// <c>wall-us=1234 user-us=400 sys-us=700 maxrss-kb=3456 status=exit:0</c>: from its exec to its end, and the CPU time and peak
    /// memory from wait4(2). The program's path and arguments follow <c>--</c>; its environment is empty.
    /// </summary>
    /// <param name="context">The words after <c>--</c>.</param>
    /// <param name="runs">Number of runs.</param>
    /// <param name="output">File for stdout and stderr; truncated before each run.</param>
    /// <param name="pair">Let a pair of other processes exchange requests and answers meanwhile, and append their latencies to the line.</param>
    /// <param name="termAfter">Milliseconds after which the program gets SIGTERM; 0: never.</param>
    public int Time(ConsoleAppContext context, int runs = 1, string output = "/dev/null", int termAfter = 0, bool pair = false)
    {
        string[] command = [.. context.EscapedArguments];
        if (command.Length == 0)
        {
            return Fail("time: the program after -- is missing", UsageError);
        }
        return Try(() =>
        {
            using TimedProgram program = new(command, output, termAfter, pair);
            for (int i = 0; i < runs; i++)
            {
                LineWriter.Write([program.Run()]);
            }

            return 0;
        });
    }

    /// <summary>
    /// Creates and closes connections as fast as possible, on the same tuples, until the end of stdin. Prints a line for each that
    /// another process closed (closed, late if it had just ceased to be idle, or wrong; with its inode and age) and for each idle one
    /// that it closed itself; at the end the sums.
    /// </summary>
    /// <param name="port">First of the ports whose idle connections are to be closed.</param>
    /// <param name="ports">Number of ports.</param>
    /// <param name="keptPort">Port whose connections must not be closed.</param>
    /// <param name="tuples">Simultaneous connections on each port: a quarter short, a quarter with data all the time, a quarter idle, a quarter fleeting.</param>
    /// <param name="idle">Idle time in ms from which a connection may be closed.</param>
    public int Churn(int port, int ports, int keptPort, int tuples, int idle)
        => Try(() =>
        {
            new Churner([.. Enumerable.Range(port, ports)], keptPort, tuples, idle).Run();
            return 0;
        });

    /// <summary>
    /// Creates sockets, one call per line of stdin, and answers each with lines and a dot. Sockets are numbered from 0: RANGE is 3 or 0-9.
    /// listen ADDRESS PORT [mptcp], connect ADDRESS PORT COUNT [from=ADDRESS] [device=DEV] [rcvbuf=BYTES] [keepalive[=IDLE,INTERVAL,COUNT]]
    /// [user-timeout=MS] [reuse] [linger=SECONDS] [mptcp] [start], accept PORT COUNT, options RANGE, all-options RANGE, look RANGE,
    /// info RANGE, set RANGE LEVEL OPTION VALUE, send RANGE BYTES, read RANGE, deafen RANGE, hear RANGE, shutdown RANGE, close RANGE,
    /// abort RANGE, disconnect RANGE, post RANGE, register RANGE, work RANGE ADDRESS PORT MS, fork, quit.
    /// </summary>
    public int Sockets() => Try(SocketShell.Start);

    /// <summary>
    /// Connects this network namespace and another one by a pair of tun devices and carries packets between them with a delay.
    /// Prints READY; then accepts delay MS, cut and mend on stdin.
    /// </summary>
    /// <param name="farPid">Process in the other network namespace.</param>
    /// <param name="delay">Delay of a packet in each direction, in ms.</param>
    /// <param name="device">Name of the devices.</param>
    public int Relay(int farPid, int delay, string device = "slow0") => Try(() => Paths.Relay.Run(device, farPid, delay));

    /// <summary>
    /// Accepts any descriptors that other processes send over a Unix socket, as a bus daemon does, and keeps them without looking at
    /// them until the end of stdin. Prints READY.
    /// </summary>
    /// <param name="path">-p, Path of its socket, which every user may write to.</param>
    public int Keep(string path) => Try(() => Keeper.Run(path));

    /// <summary>
    /// Executes a program under a seccomp(2) filter: some calls fail, others kill it, as with SystemCallFilter of a unit. The
    /// program's path and arguments follow <c>--</c>.
    /// </summary>
    /// <param name="context">The words after <c>--</c>.</param>
    /// <param name="netlinkErrno">Error number of socket(2) with AF_NETLINK; 0: it succeeds.</param>
    /// <param name="deadlyCall">Number of a system call that kills the program; -1: none.</param>
    public int Confine(ConsoleAppContext context, int netlinkErrno = 0, int deadlyCall = -1)
        => Try(() => Confinement.Execute([.. context.EscapedArguments], netlinkErrno, deadlyCall));

    /// <summary>A process that the Lab starts itself: holds the ends that are handed over to it.</summary>
    /// <param name="every">Interval in ms at which busy connections exchange data.</param>
    /// <param name="onTerm">Effect of SIGTERM: die, ignore or clean.</param>
    /// <param name="talker">Ends that send data in a busy connection.</param>
    /// <param name="thread">Thread that has the sockets open.</param>
    /// <param name="processName">Name of the process, bytes in hexadecimal.</param>
    [Hidden]
    public int Holder(int every, string onTerm, string talker, string thread, string processName = "")
        => new Holder(every, onTerm, talker, processName).Run(thread);

    /// <summary>A process that the Lab starts itself: has many open descriptors and none of the connections.</summary>
    /// <param name="files">Number of descriptors.</param>
    [Hidden]
    public int Decoy(int files) => DecoyFiles.Run(files);

    private static int Try(Func<int> command)
    {
        try
        {
            return command();
        }
        catch (LabException failure)
        {
            return Fail($"tcp-closer-lab: {failure.Message}", 1);
        }
    }

    private static int Fail(string message, int status)
    {
        LineWriter.Write([message], fd: 2);
        return status;
    }

    private static int Hold(LabOptions options) => Try(() =>
    {
        LabSession session = new(options);
        try
        {
            session.Create();
            LineWriter.Write([.. session.Announcement(), "READY"]);
            new CommandLoop(session).Run();
            return 0;
        }
        finally
        {
            session.End();
        }
    });
}
