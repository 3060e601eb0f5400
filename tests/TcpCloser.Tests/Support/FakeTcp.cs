using System.Buffers.Binary;
using System.Net;
using TcpCloser.Interop;

namespace TcpCloser.Tests.Support;

/// <summary>A TCP socket of a <see cref="FakeHost"/>.</summary>
/// <param name="dumped">What the kernel tells of it.</param>
internal sealed class FakeTcp(DumpedSocket dumped)
{
    public DumpedSocket Dumped { get; set; } = dumped;

    /// <summary>The cookie of the MPTCP connection that it is a subflow of; null: of none.</summary>
    public ulong? MptcpCookie { get; init; }

    /// <summary>Whether the kernel goes on with it alone, for a while, when the last process has closed it.</summary>
    public bool Lingers { get; init; }

    /// <summary>What ended it; null: it is open.</summary>
    public string? EndedBy { get; private set; }

    public bool IsOpen => EndedBy is null;

    /// <summary>How its owner's descriptor shows in /proc.</summary>
    public string Link => $"socket:[{Dumped.Inode}]";

    /// <summary>SO_COOKIE of its owner's descriptor.</summary>
    public ulong OwnersCookie => MptcpCookie ?? Dumped.Cookie;

    public SockAddrIn6 Local => End(Dumped.Source, Dumped.SourcePort);

    public SockAddrIn6 Remote => End(Dumped.Destination, Dumped.DestinationPort);

    /// <summary>Its options, by level and name, as the system gives them.</summary>
    public Dictionary<(int Level, int Option), int> Options { get; } = new()
    {
        [(Socket.SOL_SOCKET, Socket.SO_KEEPALIVE)] = 0,
        [(Tcp.IPPROTO_TCP, Tcp.TCP_KEEPIDLE)] = 7_200,
        [(Tcp.IPPROTO_TCP, Tcp.TCP_KEEPINTVL)] = 75,
        [(Tcp.IPPROTO_TCP, Tcp.TCP_KEEPCNT)] = 9,
        [(Tcp.IPPROTO_TCP, Tcp.TCP_USER_TIMEOUT)] = 0,
    };

    /// <summary>What its owner had set.</summary>
    public Dictionary<(int Level, int Option), int> OptionsBefore { get; set; } = [];

    public void Set(int level, int option, int value)
    {
        Assert.True(Options.ContainsKey((level, option)), $"option {option} of level {level}");
        Options[(level, option)] = value;
        OptionsSet.Add((option, value));
        if (option == Tcp.TCP_KEEPIDLE && Options[(Socket.SOL_SOCKET, Socket.SO_KEEPALIVE)] != 0)
        {
            Peer?.StartTimer(this);
        }
    }

    /// <summary>Every option that was set, in order.</summary>
    public List<(int Option, int Value)> OptionsSet { get; } = [];

    /// <summary>Its other end; null: its clocks stand still as they were dumped.</summary>
    public FakePeer? Peer { get; init; }

    /// <summary>What the kernel tells of it at this moment.</summary>
    public DumpedSocket Now => Peer?.Show(Dumped) ?? Dumped;

    /// <summary>TCP_INFO of its owner's descriptor.</summary>
    public byte[] Info() => (IsOpen ? Now : Now with { State = TcpState.Close }).Info();

    /// <summary>Two connections of which the kernel finds one or the other.</summary>
    public bool HasEndsOf(FakeTcp other) =>
        (Dumped.Family, Dumped.Source, Dumped.SourcePort, Dumped.Destination, Dumped.DestinationPort)
        == (other.Dumped.Family, other.Dumped.Source, other.Dumped.SourcePort, other.Dumped.Destination, other.Dumped.DestinationPort);

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
