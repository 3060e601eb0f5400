using System.Buffers.Binary;
using System.Net;

namespace TcpCloser.Tests.Support;

/// <summary>A TCP socket of a <see cref="FakeHost"/>.</summary>
/// <param name="dumped">The socket as the kernel dumps it at first.</param>
internal sealed class FakeTcp(DumpedSocket dumped)
{
    public DumpedSocket Dumped { get; set; } = dumped;
    public ulong? MptcpCookie { get; init; } // the cookie of the MPTCP connection that this is a subflow of; null: not MPTCP

    /// <summary>The inode of the MPTCP connection: 0 once no process holds it. The subflows keep showing the last one.</summary>
    public uint MptcpInode { get; set; } = dumped.Inode;
    public bool Lingers { get; init; } // whether the kernel keeps it for a while after the last process has closed it

    /// <summary>Whether the kernel has replaced the full socket (tcp_timewait_sock).</summary>
    public bool IsMinisocket => Dumped.State == TcpState.TimeWait || Dumped is { State: TcpState.FinWait2, Inode: 0 };
    public string? EndedBy { get; private set; } // what ended it; null: it is open
    public bool IsOpen => EndedBy is null;

    /// <summary>The link of its descriptors in /proc/PID/fd.</summary>
    public string Link => $"socket:[{Dumped.Inode}]";

    /// <summary>SO_COOKIE of its holder's descriptor.</summary>
    public ulong HolderCookie => MptcpCookie ?? Dumped.Cookie;
    public SockAddrIn6 Local => End(Dumped.Source, Dumped.SourcePort);
    public SockAddrIn6 Remote => End(Dumped.Destination, Dumped.DestinationPort);

    /// <summary>Its options by level and name, with the system's defaults.</summary>
    public Dictionary<(int Level, int Option), int> Options { get; } = new()
    {
        [(Socket.SOL_SOCKET, Socket.SO_KEEPALIVE)] = 0,
        [(Socket.SOL_SOCKET, Socket.SO_REUSEADDR)] = 1,
        [(Tcp.IPPROTO_TCP, Tcp.TCP_REPAIR)] = 0,
        [(Tcp.IPPROTO_TCP, Tcp.TCP_KEEPIDLE)] = 7_200,
        [(Tcp.IPPROTO_TCP, Tcp.TCP_KEEPINTVL)] = 75,
        [(Tcp.IPPROTO_TCP, Tcp.TCP_KEEPCNT)] = 9,
        [(Tcp.IPPROTO_TCP, Tcp.TCP_USER_TIMEOUT)] = 0,
    };

    /// <summary>The values that its owner had set.</summary>
    public Dictionary<(int Level, int Option), int> OptionsBefore { get; set; } = [];

    public void Set(int level, int option, int value)
    {
        Assert.True(Options.ContainsKey((level, option)), $"option {option} of level {level}");
        Options[(level, option)] = value;
        OptionsSet.Add((option, value));
        if ((level, option, value) == (Tcp.IPPROTO_TCP, Tcp.TCP_REPAIR, Tcp.TCP_REPAIR_OFF))
        {
            Options[(Socket.SOL_SOCKET, Socket.SO_REUSEADDR)] = 0;
            Peer?.Probe(this);
        }
    }

    /// <summary>All options that were set, in order.</summary>
    public List<(int Option, int Value)> OptionsSet { get; } = [];

    public FakePeer? Peer { get; init; } // its other end; null: the clocks stand still

    /// <summary>The socket as the kernel would dump it now.</summary>
    public DumpedSocket Now => Peer?.Show(Dumped) ?? Dumped;

    /// <summary>TCP_INFO of its holder's descriptor.</summary>
    public byte[] Info() => (IsOpen ? Now : Now with { State = TcpState.Close }).Info();
    public void End(string by) => EndedBy ??= by;

    private SockAddrIn6 End(string address, ushort port)
    {
        var name = new SockAddrIn6 { Family = Dumped.Family, Port = BinaryPrimitives.ReverseEndianness(port) };
        var ip = IPAddress.Parse(address);
        if (Dumped.Family == 2)
        {
            name.IPv4Address = BitConverter.ToUInt32(ip.GetAddressBytes());
        }
        else
        {
            name.IPv6Address = Connections.Bytes(ip);
        }

        return name;
    }
}
