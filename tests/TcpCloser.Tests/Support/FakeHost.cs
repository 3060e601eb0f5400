using System.Buffers.Binary;
using System.Runtime.InteropServices;
using TcpCloser.Diag;
using TcpCloser.Interop;
using TcpCloser.Proc;

namespace TcpCloser.Tests.Support;

/// <summary>A machine with TCP sockets and the processes that hold them. Any call to it can be made to fail.</summary>
internal sealed class FakeHost
{
    /// <summary>What ended a connection that nothing here ended.</summary>
    public const string ByItself = "its peer";

    /// <summary>What ended one whose process was signalled begins like that.</summary>
    public const string BySignal = "a signal to ";

    private const ushort Protocol = 3;

    public FakeHost()
    {
        Kernel = new FakeKernel((sent, _) => Answers(sent)) { Faults = Faults };
        Network = new FakeNamespace(Kernel);
        Machine = new Machine(Network, OpenProcesses);
    }

    public Faults Faults { get; } = new();

    public FakeKernel Kernel { get; }

    public FakeNamespace Network { get; }

    public Machine Machine { get; }

    /// <summary>The process under test.</summary>
    public int Self { get; init; } = 100;

    public List<FakeProcess> Processes { get; } = [];

    public List<FakeTcp> Sockets { get; } = [];

    /// <summary>How SOCK_DESTROY is refused of a socket that is there; 0: it is not.</summary>
    public int DestroyErrno { get; init; }

    /// <summary>How the list of processes is refused as a whole; 0: it is not.</summary>
    public int OpenProcErrno { get; init; }

    /// <summary>Handles, tables and netlink sockets that were not closed.</summary>
    public int LeftOpen { get; set; }

    public int AllLeftOpen => LeftOpen + Kernel.LeftOpen;

    /// <summary>Every signal that was sent.</summary>
    public List<(int Pid, int Signal)> Signals { get; } = [];

    public IProcessTable OpenProcesses()
    {
        int errno = Faults.Next("open proc");
        errno = errno == 0 ? OpenProcErrno : errno;
        if (errno != 0)
        {
            throw new SystemCallException(Operation.OpenProc, errno);
        }

        LeftOpen++;
        return new FakeProcessTable(this);
    }

    /// <summary>Adds a socket, held by these processes under the number 3 or the next that is free.</summary>
    public FakeTcp Add(FakeTcp socket, params FakeProcess[] holders)
    {
        Sockets.Add(socket);
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

    /// <summary>These sockets as candidates, or all there are; what a dump would tell of them now.</summary>
    public ConnectionList Candidates(params FakeTcp[] sockets)
    {
        var list = new ConnectionList();
        list.Begin(Network);
        foreach (FakeTcp socket in sockets.Length == 0 ? Sockets : [.. sockets])
        {
            Connection connection = Connection.From(in MemoryMarshal.AsRef<InetDiagMsg>(socket.Now.Body()));
            connection.IsMptcp = socket.MptcpCookie is not null;
            list.Add(in connection);
        }

        return list;
    }

    /// <summary>connect(2) to AF_UNSPEC: of an MPTCP connection, all of its subflows.</summary>
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

    /// <summary>The process ends, and what nobody else has open with it.</summary>
    public void Exit(FakeProcess process, string why)
    {
        process.IsAlive = false;
        foreach (FakeTcp socket in Sockets.Where(socket => process.Descriptors.ContainsValue(socket.Link)))
        {
            bool isHeld = Processes.Exists(other => other.IsAlive && other.Descriptors.ContainsValue(socket.Link));
            if (!isHeld && socket.Lingers)
            {
                socket.Dumped = socket.Dumped with { Inode = 0, State = TcpState.FinWait1 };
            }
            else if (!isHeld)
            {
                socket.End(why);
            }
        }
    }

    private List<Answer> Answers(byte[] sent)
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
            int errno = socket is null ? Errno.ENOENT : DestroyErrno;
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

    /// <summary>The kernel takes the first with these ends, and then compares the cookie.</summary>
    private FakeTcp? Find(byte[] request)
    {
        FakeTcp? first = Sockets.Find(socket => socket.IsOpen && socket.Dumped.Body().AsSpan(4, 36).SequenceEqual(request.AsSpan(24, 36))
            && socket.Dumped.Family == request[16]);
        return first is not null && first.Dumped.Cookie == BinaryPrimitives.ReadUInt64LittleEndian(request.AsSpan(64)) ? first : null;
    }

    /// <summary>What the states and the family let through, two to a datagram. The bytecode is left out: who asked matches again.</summary>
    private List<Answer> Dump(byte[] request, ushort type)
    {
        bool isLegacy = type == Netlink.LegacySocket;
        uint states = BinaryPrimitives.ReadUInt32LittleEndian(request.AsSpan(isLegacy ? 68 : 20));
        bool isMptcp = !isLegacy && request.Length > 72 && BinaryPrimitives.ReadUInt16LittleEndian(request.AsSpan(74)) == Protocol;
        IEnumerable<DumpedSocket> listed = Sockets
            .Where(socket => socket.IsOpen && (states >> socket.Dumped.State & 1) != 0 && (isLegacy || socket.Dumped.Family == request[16]))
            .Where(socket => !isMptcp || socket.MptcpCookie is not null)
            .Select(socket => isMptcp ? socket.Dumped with { Cookie = socket.OwnersCookie, IsMptcp = false } : socket.Now);
        return
        [
            .. listed.Chunk(2).Select(pair => Answer.Of([.. pair.Select(socket => socket.Message(type))])),
            Answer.Of(Netlink.DoneMessage()),
        ];
    }
}
