using System.Buffers;
using System.Net;
using TcpCloser.Lab.Interop;

namespace TcpCloser.Lab.Making;

/// <summary>What the Lab was asked to make; checked by <see cref="Check"/>. Sizes are in bytes, times in milliseconds.</summary>
internal sealed record LabOptions
{
    /// <summary>The states the server end can be put into (the client end for syn-sent).</summary>
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

    /// <summary>Whether the server's sockets are IPv6 ones.</summary>
    internal bool ServerIsV6 => Family is not "v4";

    /// <summary>Whether the clients' sockets are IPv6 ones: a client of a dual-stack listener is an IPv4 program, unless it is "mapped".</summary>
    internal bool ClientIsV6 => Family is "v6" or "mapped";

    /// <summary>Whether what travels is IPv4.</summary>
    internal bool SpeaksV4 => Family is not "v6";

    /// <summary>Whether server ends exist as descriptors at all.</summary>
    internal bool HasServerEnds => State is not ("unaccepted" or "listen" or "syn-sent" or "syn-recv" or "time-wait") && !Orphan;

    /// <summary>Whether client ends exist as descriptors.</summary>
    internal bool HasClientEnds => State is not "time-wait";

    /// <summary>Whether the server has to have more to send than the client takes, so that its FIN stays queued.</summary>
    internal bool FillsServer => State is "fin-wait-1" or "last-ack" or "closing" || Blocked == "write";

    /// <summary>Where clients connect to.</summary>
    internal IPAddress ServerAddress => Address.Length > 0
        ? IPAddress.Parse(Address)
        : SpeaksV4 ? IPAddress.Loopback : IPAddress.IPv6Loopback;

    /// <summary>The listening port of a connection: they take turns.</summary>
    internal int PortOf(int index) => Port + (index % Ports * PortStep);

    /// <summary>These options for the decoys: plain idle connections on another port, held by a process of their own.</summary>
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

    /// <summary>Says what is wrong with the options, or null.</summary>
    internal string? Check()
    {
        if (Family is not ("v4" or "v6" or "dual" or "mapped"))
        {
            return $"--family {Family}: v4, v6, dual or mapped";
        }

        if (Array.IndexOf(States, State) < 0)
        {
            return $"--state {State}: one of {string.Join(' ', States)}";
        }

        if (Blocked is not ("none" or "read" or "write" or "poll" or "epoll" or "connect"))
        {
            return $"--blocked {Blocked}: none, read, write, poll, epoll or connect";
        }

        if (Talker is not ("both" or "server" or "client"))
        {
            return $"--talker {Talker}: both, server or client";
        }

        if (ProcessName.Length > 2 * Posix.MaxProcessName || !IsHex(ProcessName))
        {
            return $"--process-name {ProcessName}: up to {Posix.MaxProcessName} bytes in hexadecimal";
        }

        if (Blocked == "connect" && State != "syn-sent")
        {
            return "--blocked connect needs --state syn-sent";
        }

        if (Blocked is not ("none" or "connect") && !HasServerEnds)
        {
            return $"--blocked {Blocked}: in {State} there is no server end to block on";
        }

        if (Orphan && State is not ("fin-wait-1" or "fin-wait-2" or "last-ack" or "closing"))
        {
            return $"--orphan: not in {State}";
        }

        if (Mptcp && (Deaf || State is not ("established" or "unaccepted" or "listen")))
        {
            return "--mptcp: only established connections, and not --deaf (the kernel filters no MPTCP socket)";
        }

        if (Listeners != 1 && (Listeners < 1 || State != "listen"))
        {
            return $"--listeners {Listeners}: only with --state listen";
        }

        if (TwinDevice.Length > 0 && (State != "syn-sent" || Blocked != "none" || Ports != 1))
        {
            return "--twin-device: only in syn-sent, without --blocked, and with one port";
        }

        if (Address.Length > 0 && !IPAddress.TryParse(Address, out _))
        {
            return $"--address {Address}: an address";
        }

        if (Count < 0 || Ports < 1 || Processes < 1 || Port < 1 || Port + ((Ports - 1) * PortStep) > ushort.MaxValue)
        {
            return "--count, --ports, --processes, --port: out of range";
        }

        return null;
    }

    private static bool IsHex(string text) => text.Length % 2 == 0 && text.AsSpan().IndexOfAnyExcept(s_hexDigits) < 0;
}
