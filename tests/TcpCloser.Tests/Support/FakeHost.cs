using System.Buffers.Binary;
using System.Runtime.InteropServices;

namespace TcpCloser.Tests.Support;

/// <summary>A machine with TCP sockets and the processes that hold them. Tests can make any call fail.</summary>
internal sealed class FakeHost
{
    public const string ByItself = "its peer"; // FakeTcp.EndedBy of a connection that this machine did not end
    public const string BySignal = "a signal to "; // the prefix of FakeTcp.EndedBy of a connection whose holder was signalled
    public const string NoRoot = "/dev/null"; // a root in which no network namespaces are found
    private const ushort Protocol = 3;

    /// <param name="root">The directory with the files of the machine.</param>
    public FakeHost(string root = NoRoot)
    {
        Kernel = new FakeKernel((sent, _) => Respond(sent)) { Faults = Faults };
        Network = new FakeNamespace(Kernel);
        Machine = new Machine(Network, OpenProcesses, root) { Clock = Clock };
    }

    public Faults Faults { get; } = new();
    public FakeClock Clock { get; } = new();
    public FakeKernel Kernel { get; }
    public FakeNamespace Network { get; }
    public Machine Machine { get; }
    public int Self { get; init; } = 100; // the process under test
    public uint? OverflowUid { get; set; } // the uid that stands for unmapped users; null: all users are mapped
    public List<FakeProcess> Processes { get; } = [];
    public List<FakeTcp> Sockets { get; } = [];
    public List<DumpedSocket> MptcpWithoutSubflows { get; } = []; // MPTCP connections that currently have no subflow

    /// <summary>The errno of SOCK_DESTROY, or 0. EPERM applies only to sockets that exist, and to filters by mark.</summary>
    public int DestroyErrno { get; set; }
    public int ProbeErrno { get; set; } // the errno of a probe; 0: it succeeds

    /// <summary>Whether the kernel is older than Linux 6.0: EOPNOTSUPP for TIME_WAIT, and for FIN_WAIT2 without a holder.</summary>
    public bool IsBefore6 { get; set; }
    public int OpenProcErrno { get; set; } // the errno of opening /proc; 0: it succeeds
    public bool IsInInitialPidNamespace { get; set; } = true;
    public bool IsInInitialNetworkNamespace { get; set; } = true;
    public bool CanOpenThreads { get; set; } = true; // whether pidfd_open(2) accepts a thread (PIDFD_THREAD, Linux 6.9)
    public int LeftOpen { get; set; } // the number of handles and tables that were not closed
    public int AllLeftOpen => LeftOpen + Kernel.LeftOpen;

    public List<(int Pid, int Signal)> Signals { get; } = [];

    public IProcessTable OpenProcesses()
    {
        int errno = Faults.Next("open proc");
        errno = errno == 0 ? OpenProcErrno : errno;
        if (errno != 0)
        {
            throw new SystemCallException(new Failure(Operation.OpenProc, errno));
        }

        LeftOpen++;
        return new FakeProcessTable(this);
    }

    /// <summary>Adds a socket, which these processes hold as descriptor 3 or the next free one.</summary>
    public FakeTcp Add(FakeTcp socket, params FakeProcess[] holders)
    {
        Sockets.Add(socket);
        if (socket.Peer is not null)
        {
            socket.Peer.Clock = Clock;
        }

        foreach (FakeProcess holder in holders)
        {
            int fd = 3;
            while (holder.Descriptors.ContainsKey(fd))
            {
                fd++;
            }

            holder.Descriptors[fd] = socket.Link;
        }

        return socket;
    }

    public FakeProcess Add(FakeProcess process)
    {
        Processes.Add(process);
        return process;
    }

    /// <summary>These sockets, or all, as candidates: with the values of a dump at this moment.</summary>
    public ConnectionList Candidates(params FakeTcp[] sockets)
    {
        var list = new ConnectionList { Clock = Clock };
        list.Begin(Network);
        foreach (FakeTcp socket in sockets.Length == 0 ? Sockets : [.. sockets])
        {
            Connection connection = Connection.From(in MemoryMarshal.AsRef<InetDiagMsg>(socket.Now.Body()));
            connection.IsMptcp = socket.MptcpCookie is not null;
            list.Add(in connection);
        }

        return list;
    }

    /// <summary>connect(2) to AF_UNSPEC; for an MPTCP connection, it ends all subflows.</summary>
    public void Disconnect(FakeTcp socket)
    {
        foreach (FakeTcp other in Sockets)
        {
            if (other == socket || (socket.MptcpCookie is not null && other.MptcpCookie == socket.MptcpCookie))
            {
                other.End("disconnect");
            }
        }
    }

    public void Signal(FakeProcess process, int signal)
    {
        Signals.Add((process.Pid, signal));
        process.Signals.Add(signal);
        if (!process.Survives(signal))
        {
            Exit(process, BySignal + process.Pid);
        }
    }

    /// <summary>The process ends, and with it the sockets that no other process holds.</summary>
    public void Exit(FakeProcess process, string why)
    {
        process.IsAlive = false;
        foreach (FakeTcp socket in Sockets.Where(socket => process.Has(socket.Link)))
        {
            bool isHeld = Processes.Exists(other => other.IsAlive && other.Has(socket.Link));
            if (!isHeld && socket.MptcpCookie is not null)
            {
                socket.MptcpInode = 0; // the kernel winds it down, and its subflows stay unchanged for a while
            }
            else if (!isHeld && socket.Lingers)
            {
                socket.Dumped = socket.Dumped with { Inode = 0, State = TcpState.FinWait1 };
            }
            else if (!isHeld)
            {
                socket.End(why);
            }
        }
    }

    private List<Answer> Respond(byte[] sent)
    {
        ushort type = BinaryPrimitives.ReadUInt16LittleEndian(sent.AsSpan(4));
        return type == Netlink.Destroy ? Destroy(sent)
            : Netlink.IsDump(sent) ? Dump(sent, type)
            : [LookUp(sent)];
    }

    private List<Answer> Destroy(byte[] sent)
    {
        var refusals = new List<Answer>();
        foreach (DestroyRequest request in DestroyRequest.In(sent))
        {
            FakeTcp? socket = Find(request.Bytes);
            int errno = DestroyErrno is Errno.EOPNOTSUPP or Errno.EINVAL ? DestroyErrno
                : socket is null ? Errno.ENOENT
                : IsBefore6 && socket.IsMinisocket ? Errno.EOPNOTSUPP
                : DestroyErrno;
            if (errno == 0)
            {
                socket!.End("destroy");
            }
            else
            {
                refusals.Add(Answer.Of(Netlink.ErrorMessage(errno, request.Sequence)));
            }
        }

        return refusals;
    }

    private Answer LookUp(byte[] request) =>
        Find(request) is { } socket ? Answer.Of(socket.Now.Message(Netlink.Socket)) : Answer.Of(Netlink.ErrorMessage(Errno.ENOENT));

    /// <summary>The kernel finds the first socket with these endpoints, and then compares its cookie.</summary>
    private FakeTcp? Find(byte[] request)
    {
        FakeTcp? first = Sockets.Find(socket => socket.IsOpen && socket.Dumped.Body().AsSpan(4, 36).SequenceEqual(request.AsSpan(24, 36))
            && socket.Dumped.Family == request[16]);
        return first is not null && first.Dumped.Cookie == BinaryPrimitives.ReadUInt64LittleEndian(request.AsSpan(64)) ? first : null;
    }

    /// <summary>Whether the bytecode requires CAP_NET_ADMIN.</summary>
    private static bool NeedsNetAdmin(ReadOnlySpan<byte> attribute)
    {
        const ushort Bytecode = 1;
        return attribute.Length > 4 && BinaryPrimitives.ReadUInt16LittleEndian(attribute[2..]) == Bytecode
            && BytecodeAudit.Refusal(attribute[4..]) is null && BytecodeAudit.Refusal(attribute[4..], netAdmin: false) is not null;
    }

    /// <summary>The sockets of these states and this family, two to a datagram. Ignores bytecode: the caller matches again.</summary>
    private List<Answer> Dump(byte[] request, ushort type)
    {
        bool isLegacy = type == Netlink.LegacySocket;
        if (DestroyErrno == Errno.EPERM && NeedsNetAdmin(request.AsSpan(isLegacy ? 76 : 72)))
        {
            return [Answer.Of(Netlink.ErrorMessage(Errno.EPERM))];
        }

        uint states = BinaryPrimitives.ReadUInt32LittleEndian(request.AsSpan(isLegacy ? 68 : 20));
        bool isMptcp = !isLegacy && request.Length > 72 && BinaryPrimitives.ReadUInt16LittleEndian(request.AsSpan(74)) == Protocol;
        IEnumerable<DumpedSocket> listed = Sockets
            .Where(socket => socket.IsOpen && (states >> socket.Dumped.State & 1) != 0 && (isLegacy || socket.Dumped.Family == request[16]))
            .Where(socket => !isMptcp || socket.MptcpCookie is not null)
            .Select(socket => isMptcp ? socket.Dumped with { Cookie = socket.HolderCookie, Inode = socket.MptcpInode, IsMptcp = false } : socket.Now)
            .Concat(isMptcp ? MptcpWithoutSubflows.Where(socket => socket.Family == request[16]) : []);
        return
        [
            .. listed.Chunk(2).Select(pair => Answer.Of([.. pair.Select(socket => socket.Message(type))])),
            Answer.Of(Netlink.DoneMessage()),
        ];
    }
}
