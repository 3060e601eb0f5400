using System.Buffers;

namespace TcpCloser.Lab.Making;

/// <summary>
/// The connections that the Lab is to create; validated by <see cref="Check"/>. Sizes are in bytes, times in
/// milliseconds.
/// </summary>
internal sealed record LabOptions
{
    /// <summary>The states that the server end can be brought into (the client end for syn-sent).</summary>
    internal static readonly string[] States =
    [
        "established", "unaccepted", "syn-sent", "syn-recv", "fin-wait-1", "fin-wait-2", "close-wait", "last-ack", "closing",
        "time-wait", "listen",
    ];

    private static readonly SearchValues<char> s_hexDigits = SearchValues.Create("0123456789abcdefABCDEF");

    internal required int Count { get; init; }
    internal required string Family { get; init; }
    internal required int Port { get; init; }
    internal required int Ports { get; init; }
    internal required int PortStep { get; init; }
    internal required int Listeners { get; init; }
    internal required string Address { get; init; }
    internal required string State { get; init; }
    internal required bool Orphan { get; init; }
    internal required int Processes { get; init; }
    internal required int Sharers { get; init; }
    internal required bool ClientProcess { get; init; }
    internal required int Busy { get; init; }
    internal required int EveryMs { get; init; }
    internal required string Talker { get; init; }
    internal required string Blocked { get; init; }
    internal required int Unread { get; init; }
    internal required int Unsent { get; init; }
    internal required bool Deaf { get; init; }
    internal required bool Mptcp { get; init; }
    internal required string BindDevice { get; init; }
    internal required string RebindDevice { get; init; }
    internal required string TwinDevice { get; init; }
    internal required int Mark { get; init; }
    internal required int Decoys { get; init; }
    internal required int DecoyPort { get; init; }
    internal required int DecoyProcesses { get; init; }
    internal required int DecoyFiles { get; init; }
    internal required string OnTerm { get; init; }
    internal required string ProcessName { get; init; }
    internal required string Thread { get; init; }

    /// <summary>Whether the server's sockets are IPv6 sockets.</summary>
    internal bool ServerIsV6 => Family is not "v4";

    /// <summary>
    /// Whether the clients' sockets are IPv6 sockets: a client of a dual-stack listener is an IPv4 program, unless it is
    /// "mapped".
    /// </summary>
    internal bool ClientIsV6 => Family is "v6" or "mapped";

    /// <summary>Whether the packets are IPv4.</summary>
    internal bool SpeaksV4 => Family is not "v6";

    /// <summary>Whether server ends exist as descriptors at all.</summary>
    internal bool HasServerEnds => State is not ("unaccepted" or "listen" or "syn-sent" or "syn-recv" or "time-wait") && !Orphan;

    internal bool HasClientEnds => State is not "time-wait";

    /// <summary>Whether the server has to have more to send than the client accepts, so that its FIN stays queued.</summary>
    internal bool FillsServer => State is "fin-wait-1" or "last-ack" or "closing" || Blocked == "write";

    internal IPAddress ServerAddress => Address.Length > 0
        ? IPAddress.Parse(Address)
        : SpeaksV4 ? IPAddress.Loopback : IPAddress.IPv6Loopback;

    internal int PortOf(int index) => Port + (index % Ports * PortStep);

    /// <summary>The options for the decoys: plain idle connections on another port, held by a process of their own.</summary>
    internal LabOptions ForDecoys() => this with
    {
        Count = Decoys,
        Port = DecoyPort,
        Ports = 1,
        Listeners = 1,
        State = "established",
        Orphan = false,
        Processes = 1,
        Sharers = 0,
        ClientProcess = false,
        Busy = 0,
        Blocked = "none",
        Unread = 0,
        Unsent = 0,
        Deaf = false,
        Mptcp = false,
        BindDevice = "",
        RebindDevice = "",
        TwinDevice = "",
        Mark = 0,
        Decoys = 0,
        DecoyProcesses = 0,
    };

    internal string? Check() =>
        Family is not ("v4" or "v6" or "dual" or "mapped")
            ? $"--family {Family}: v4, v6, dual or mapped"
        : Array.IndexOf(States, State) < 0
            ? $"--state {State}: one of {string.Join(' ', States)}"
        : Blocked is not ("none" or "read" or "write" or "poll" or "epoll" or "connect")
            ? $"--blocked {Blocked}: none, read, write, poll, epoll or connect"
        : Talker is not ("both" or "server" or "client")
            ? $"--talker {Talker}: both, server or client"
        : Array.IndexOf(HolderThread.Kinds, Thread) < 0
            ? $"--thread {Thread}: one of {string.Join(' ', HolderThread.Kinds)}"
        : ProcessName.Length > 2 * Posix.MaxProcessName || !IsHex(ProcessName)
            ? $"--process-name {ProcessName}: up to {Posix.MaxProcessName} bytes in hexadecimal"
        : Blocked == "connect" && State != "syn-sent"
            ? "--blocked connect needs --state syn-sent"
        : Blocked is not ("none" or "connect") && !HasServerEnds
            ? $"--blocked {Blocked}: in {State} there is no server end to block on"
        : Orphan && State is not ("fin-wait-1" or "fin-wait-2" or "last-ack" or "closing")
            ? $"--orphan: not in {State}"
        : Mptcp && (Deaf || State is not ("established" or "unaccepted" or "listen"))
            ? "--mptcp: only established connections, and not --deaf (the kernel does not filter MPTCP sockets)"
        : Listeners != 1 && (Listeners < 1 || State != "listen")
            ? $"--listeners {Listeners}: only with --state listen"
        : TwinDevice.Length > 0 && (State != "syn-sent" || Blocked != "none" || Ports != 1)
            ? "--twin-device: only in syn-sent, without --blocked, and with one port"
        : Address.Length > 0 && !IPAddress.TryParse(Address, out _)
            ? $"--address {Address}: an address"
        : Count < 0 || Ports < 1 || Processes < 1 || Port < 1 || Port + ((Ports - 1) * PortStep) > ushort.MaxValue
            ? "--count, --ports, --processes, --port: out of range"
        : null;

    private static bool IsHex(string text) => text.Length % 2 == 0 && text.AsSpan().IndexOfAnyExcept(s_hexDigits) < 0;
}
