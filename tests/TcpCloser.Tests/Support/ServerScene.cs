namespace TcpCloser.Tests.Support;

/// <summary>A server with connections of every kind. The program runs in a shell of an SSH session.</summary>
internal sealed class ServerScene
{
    private const int Pty = 136 << 8;
    private const uint Busy = 5;
    private const uint IdleMs = 60_000;
    private uint _nextInode = 1_001;
    private ulong _nextCookie = 0x5_0000_0001;
    private ushort _nextPort = 30_000;

    /// <summary>
    /// Sets up the server. The shell's environment has SSH_CONNECTION or not; the shell is a child of sshd's, or of a tmux server whose
    /// client runs below sshd.
    /// </summary>
    public ServerScene(FakeHost host, bool hasSshConnection = true, bool isBelowTmux = false)
    {
        Host = host;
        FakeProcess init = host.Add(new FakeProcess(1) { Uid = 0, Comm = "systemd"u8.ToArray() });
        FakeProcess sshd = host.Add(new FakeProcess(40) { Uid = 0, Parent = 1, Comm = "sshd-session"u8.ToArray() });
        FakeTcp session = Socket(0, sshd);
        string client = $"{session.Dumped.Destination} {session.Dumped.DestinationPort} {session.Dumped.Source} {session.Dumped.SourcePort}";
        OwnSession = session;
        FakeProcess login = host.Add(new FakeProcess(45) { Parent = 40, Terminal = Pty, Comm = "login shell"u8.ToArray() });
        if (isBelowTmux)
        {
            host.Add(new FakeProcess(46) { Parent = login.Pid, Terminal = Pty, Comm = "tmux: client"u8.ToArray() });
            host.Add(new FakeProcess(47) { Parent = 1, Comm = "tmux: server"u8.ToArray(), Descriptors = { [5] = "/dev/ptmx", [6] = "/dev/pts/0" } });
        }

        FakeProcess shell = host.Add(new FakeProcess(50)
        {
            Parent = isBelowTmux ? 47 : login.Pid,
            Terminal = isBelowTmux ? Pty | 1 : Pty,
            Comm = "bash"u8.ToArray(),
            Environment = hasSshConnection ? $"HOME=/root\0SSH_CONNECTION={client}\0" : "HOME=/root\0",
        });
        host.Add(new FakeProcess(host.Self) { Parent = 50, Terminal = shell.Terminal, Comm = "tcp-closer"u8.ToArray() });
        host.Add(new FakeProcess(2) { Uid = 0, IsKernelThread = true, Comm = "kthreadd"u8.ToArray() });

        Worker = host.Add(new FakeProcess(200));
        FakeProcess sibling = host.Add(new FakeProcess(201) { Parent = 200 });
        One = Socket(1000, Worker);
        Shared = Socket(1000, Worker, sibling);
        OverIPv6 = Socket(1000, sibling);
        OverIPv6.Dumped = OverIPv6.Dumped with { Family = 10, Source = "fd00::1", Destination = "fd00::2" };
        BusyOne = Socket(1000, sibling);
        BusyOne.Dumped = BusyOne.Dumped with { LastDataRecv = Busy };
        OtherPort = Socket(1000, Worker);
        OtherPort.Dumped = OtherPort.Dumped with { SourcePort = 5432 };

        // One user has passed a descriptor to another; process 1 listened on behalf of its service (socket activation).
        AlsoHeldByOtherUser = Socket(1000, host.Add(new FakeProcess(204)), host.Add(new FakeProcess(300) { Uid = 999, Comm = "dbus-daemon"u8.ToArray() }));
        AlsoHeldByInit = Socket(0, init, host.Add(new FakeProcess(202) { Uid = 33, Parent = 1 }));
        Orphan = Socket(0);
        Orphan.Dumped = Orphan.Dumped with { Inode = 0 };
    }

    public FakeHost Host { get; }
    public FakeProcess Worker { get; } // holds One, Shared and OtherPort
    public FakeTcp OwnSession { get; }
    public FakeTcp? OtherEnd { get; private set; } // the other end of OwnSession, if it runs over loopback; null: on another machine
    public FakeTcp One { get; }
    public FakeTcp Shared { get; }
    public FakeTcp OverIPv6 { get; }
    public FakeTcp BusyOne { get; }
    public FakeTcp OtherPort { get; }
    public FakeTcp AlsoHeldByOtherUser { get; } // held by a process of its own user and one of a different user
    public FakeTcp AlsoHeldByInit { get; } // of root; also held by process 1
    public FakeTcp Orphan { get; }

    /// <summary>Whether <c>-46 -s 22</c>, which these tests use, selects the socket.</summary>
    public static bool IsOfPort22(FakeTcp socket) => socket.Dumped.SourcePort == 22;

    /// <summary>Adds the SSH client, which then also runs on this machine.</summary>
    public void AddSshClient()
    {
        DumpedSocket session = OwnSession.Dumped;
        OtherEnd = Socket(1000, Host.Add(new FakeProcess(60) { Comm = "ssh"u8.ToArray() }));
        OtherEnd.Dumped = OtherEnd.Dumped with
        {
            Source = session.Destination,
            SourcePort = session.DestinationPort,
            Destination = session.Source,
            DestinationPort = session.SourcePort,
        };
    }

    /// <summary>An idle MPTCP connection of two subflows, and one with a busy subflow.</summary>
    public (FakeTcp[] Whole, FakeTcp[] Partly) AddMptcp(FakeProcess holder)
    {
        FakeTcp[] Pair(uint lastOfSecond)
        {
            uint inode = _nextInode;
            ulong cookie = _nextCookie++;
            FakeTcp[] subflows = [Subflow(cookie), Subflow(cookie)];
            foreach (FakeTcp subflow in subflows)
            {
                subflow.Dumped = subflow.Dumped with { Inode = inode };
            }

            subflows[1].Dumped = subflows[1].Dumped with { LastDataRecv = lastOfSecond };
            holder.Descriptors[10 + (int)inode] = subflows[0].Link;
            return subflows;
        }

        return (Pair(IdleMs), Pair(Busy));
    }

    /// <summary>A socket of <c>10.0.0.1:22</c> that has been idle for a minute.</summary>
    public FakeTcp Socket(uint uid, params FakeProcess[] holders) => Host.Add(new FakeTcp(Dumped(uid)), holders);
    private FakeTcp Subflow(ulong mptcpCookie) => Host.Add(new FakeTcp(Dumped(1000) with { IsMptcp = true }) { MptcpCookie = mptcpCookie });

    private DumpedSocket Dumped(uint uid) => new()
    {
        Uid = uid,
        Inode = _nextInode++,
        Cookie = _nextCookie++,
        DestinationPort = _nextPort++,
        LastDataRecv = IdleMs,
        State = TcpState.Established,
    };
}
