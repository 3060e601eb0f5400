using System.Diagnostics.CodeAnalysis;
using ConsoleAppFramework;
using TcpCloser.Lab.Churning;
using TcpCloser.Lab.Holding;
using TcpCloser.Lab.Making;
using TcpCloser.Lab.Paths;

namespace TcpCloser.Lab;

/// <summary>The Lab's commands: <c>hold</c> and <c>time</c> for people, tests and scripts, the others for the processes it starts itself.</summary>
[SuppressMessage("Performance", "CA1822", Justification = "ConsoleAppFramework calls the methods of an instance.")]
internal sealed class Commands
{
    private const int UsageError = 2;

    /// <summary>
    /// Makes TCP connections inside this network namespace and holds them; prints READY, then answers commands on stdin:
    /// state, list, processes, send, close-clients, close-servers, accept [LISTENER], wait-ended N MS, busy-off, reuse FROM TO,
    /// give SERVER-END PATH, leave-in-bus SERVER-END PATH, run PROGRAM ARGS, run-inheriting PROGRAM ARGS, quit.
    /// </summary>
    /// <param name="count">How many connections.</param>
    /// <param name="family">v4, v6, dual (IPv4 clients of an IPv6 listener) or mapped (IPv4 with IPv6 sockets on both sides).</param>
    /// <param name="port">The listening port, the first one if there are several.</param>
    /// <param name="ports">Over how many listening ports the connections are spread.</param>
    /// <param name="portStep">How far these are apart.</param>
    /// <param name="listeners">How many sockets listen on each port (SO_REUSEPORT; listen only).</param>
    /// <param name="address">The server's address; loopback of the family if it is not given.</param>
    /// <param name="state">The server end's state: established, unaccepted, syn-sent (the client's), syn-recv, fin-wait-1, fin-wait-2, close-wait, last-ack, closing, time-wait, listen.</param>
    /// <param name="orphan">The server's descriptor is closed in the states that go on without one.</param>
    /// <param name="processes">How many processes share out the server ends (and the client ends with them).</param>
    /// <param name="sharers">How many further processes hold every server end as well.</param>
    /// <param name="clientProcess">The client ends are in a process of their own.</param>
    /// <param name="busy">How many connections, the last ones, exchange data.</param>
    /// <param name="every">How often they do, in ms.</param>
    /// <param name="talker">Whose ends send data in a busy connection: both, server, client; the others only read.</param>
    /// <param name="blocked">A thread sits in this call on each server end: none, read, write, poll, epoll; connect (client, syn-sent).</param>
    /// <param name="unread">Bytes that the client sent and the server does not read.</param>
    /// <param name="unsent">Bytes that the server wrote and the client does not take.</param>
    /// <param name="deaf">The client end drops all that arrives, as a peer does that is gone (before --unsent is written).</param>
    /// <param name="mptcp">MPTCP sockets.</param>
    /// <param name="bindDevice">SO_BINDTODEVICE of all sockets.</param>
    /// <param name="rebindDevice">SO_BINDTODEVICE of the ends once they are connected, whatever way their packets took.</param>
    /// <param name="twinDevice">The clients are pairs of the same addresses and ports, the first of each bound to that device (syn-sent).</param>
    /// <param name="mark">SO_MARK of all sockets.</param>
    /// <param name="decoys">Further idle connections, on the decoy port.</param>
    /// <param name="decoyPort">The port of the decoys.</param>
    /// <param name="decoyProcesses">Processes that hold none of the connections.</param>
    /// <param name="decoyFiles">Open descriptors of each of these.</param>
    /// <param name="ignoreTerm">Processes that hold connections ignore SIGTERM.</param>
    /// <param name="cleanTerm">On SIGTERM these processes shut their sockets down and exit 0.</param>
    /// <param name="processName">What the processes that hold connections call themselves (prctl PR_SET_NAME), bytes in hexadecimal.</param>
    public int Hold(
        int count = 1,
        string family = "v4",
        int port = 5000,
        int ports = 1,
        int portStep = 1,
        int listeners = 1,
        string address = "",
        string state = "established",
        bool orphan = false,
        int processes = 1,
        int sharers = 0,
        bool clientProcess = false,
        int busy = 0,
        int every = 10,
        string talker = "both",
        string blocked = "none",
        int unread = 0,
        int unsent = 0,
        bool deaf = false,
        bool mptcp = false,
        string bindDevice = "",
        string rebindDevice = "",
        string twinDevice = "",
        int mark = 0,
        int decoys = 0,
        int decoyPort = 6000,
        int decoyProcesses = 0,
        int decoyFiles = 0,
        bool ignoreTerm = false,
        bool cleanTerm = false,
        string processName = "")
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
            OnTerm = cleanTerm ? "clean" : ignoreTerm ? "ignore" : "die",
        };
        if (options.Check() is { } complaint)
        {
            LineWriter.Write([complaint], fd: 2);
            return UsageError;
        }
        return Hold(options);
    }

    /// <summary>
    /// Runs a program, one time after the other, and prints for each a line such as
    /// <c>wall-us=1234 user-us=400 sys-us=700 maxrss-kb=3456 status=exit:0</c>: from its exec to its end, and the CPU time and peak
    /// memory that wait4(2) tells. The program's path and arguments stand behind <c>--</c>; its environment is empty.
    /// </summary>
    /// <param name="context">What stands behind <c>--</c>.</param>
    /// <param name="runs">How often.</param>
    /// <param name="output">Where its stdout and stderr go; emptied before each run.</param>
    /// <param name="pair">A pair of other processes exchanges requests and answers meanwhile; how long these took stands behind the rest of the line.</param>
    /// <param name="termAfter">Sends it SIGTERM after so many ms; 0: never.</param>
    public int Time(ConsoleAppContext context, int runs = 1, string output = "/dev/null", int termAfter = 0, bool pair = false)
    {
        string[] command = [.. context.EscapedArguments];
        if (command.Length == 0)
        {
            LineWriter.Write(["time: the program is missing; it stands behind --"], fd: 2);
            return UsageError;
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
    /// Makes connections and ends them as fast as it goes, on the same tuples, until stdin ends. Prints a line for each that somebody
    /// else closed (closed, late where it had just ceased to be idle, or wrong; with its inode and age) and for each idle one that it ended itself; in the end the sums.
    /// </summary>
    /// <param name="port">The first of the ports whose idle connections are to be closed.</param>
    /// <param name="ports">How many.</param>
    /// <param name="keptPort">A port whose connections are to be left alone.</param>
    /// <param name="tuples">Connections at a time on each port: a quarter short, a quarter with data all the time, a quarter idle, a quarter fleeting.</param>
    /// <param name="idle">From how many ms on one is idle.</param>
    public int Churn(int port, int ports, int keptPort, int tuples, int idle)
        => Try(() =>
        {
            new Churner([.. Enumerable.Range(port, ports)], keptPort, tuples, idle).Run();
            return 0;
        });

    /// <summary>
    /// Makes sockets, one call a line of stdin, and answers each with lines and a dot. Sockets have numbers, from 0: RANGE is 3 or 0-9.
    /// listen ADDRESS PORT [mptcp], connect ADDRESS PORT COUNT [from=ADDRESS] [device=DEV] [rcvbuf=BYTES] [keepalive=IDLE,INTERVAL,COUNT]
    /// [user-timeout=MS] [mptcp] [start], accept PORT COUNT, options RANGE, look RANGE, info RANGE, set RANGE LEVEL OPTION VALUE,
    /// send RANGE BYTES, read RANGE, deafen RANGE, hear RANGE, shutdown RANGE, close RANGE, fork, quit.
    /// </summary>
    public int Sockets() => Try(SocketShell.Start);

    /// <summary>
    /// Joins this network namespace and another by a pair of tun devices and carries the packets between them, each after a while.
    /// Prints READY; then delay MS, cut, mend on stdin.
    /// </summary>
    /// <param name="farPid">A process in the other network namespace.</param>
    /// <param name="delay">How long a packet takes in each direction, in ms.</param>
    /// <param name="device">What the devices are called.</param>
    public int Relay(int farPid, int delay, string device = "slow0")
        => Try(() => Paths.Relay.Run(device, farPid, delay));

    /// <summary>
    /// Takes whatever descriptors other processes send it over a Unix socket, as a bus daemon does, keeps them and never looks at
    /// them; until its stdin ends. Prints READY.
    /// </summary>
    /// <param name="path">-p, Where its socket is; for every user.</param>
    public int Keep(string path) => Try(() => Keeper.Run(path));

    /// <summary>
    /// Becomes a program under a seccomp(2) filter: some calls fail, others kill it, as SystemCallFilter of a unit makes them. The
    /// program's path and arguments stand behind <c>--</c>.
    /// </summary>
    /// <param name="context">What stands behind <c>--</c>.</param>
    /// <param name="netlinkErrno">socket(2) of AF_NETLINK fails with that; 0: it does not.</param>
    /// <param name="deadlyCall">The number of a system call that kills; -1: none does.</param>
    public int Confine(ConsoleAppContext context, int netlinkErrno = 0, int deadlyCall = -1)
        => Try(() => Confinement.Become([.. context.EscapedArguments], netlinkErrno, deadlyCall));

    /// <summary>A process that the Lab starts itself: holds the ends that it is handed.</summary>
    /// <param name="every">How often busy connections exchange data, in ms.</param>
    /// <param name="onTerm">What SIGTERM does: die, ignore or clean.</param>
    /// <param name="talker">Whose ends send data in a busy connection.</param>
    /// <param name="processName">Its name, bytes in hexadecimal.</param>
    [Hidden]
    public int Holder(int every, string onTerm, string talker, string processName = "") => new Holder(every, onTerm, talker, processName).Run();

    /// <summary>A process that the Lab starts itself: has many open descriptors and none of the connections.</summary>
    /// <param name="files">How many descriptors.</param>
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
            LineWriter.Write([$"tcp-closer-lab: {failure.Message}"], fd: 2);
            return 1;
        }
    }

    private static int Hold(LabOptions options)
    {
        LabSession? session = null;
        try
        {
            session = new LabSession(options);
            session.Make();
            LineWriter.Write([.. session.Announcement(), "READY"]);
            new CommandLoop(session).Run();
            return 0;
        }
        catch (LabException failure)
        {
            LineWriter.Write([$"tcp-closer-lab: {failure.Message}"], fd: 2);
            return 1;
        }
        finally
        {
            session?.End();
        }
    }
}
