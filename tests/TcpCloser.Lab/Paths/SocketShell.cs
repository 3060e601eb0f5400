namespace TcpCloser.Lab.Paths;

/// <summary>
/// The sockets of one process, numbered from 0 in the order of their creation, and a line of stdin for each call on them. With two
/// of these in two network namespaces, a test has both ends of every connection and the path between them.
/// </summary>
internal sealed unsafe class SocketShell
{
    private const int Backlog = 4096;
    private const string EndMarker = ".";
    private readonly List<ShellSocket> _sockets = [];
    private readonly Dictionary<int, int> _listeners = [];
    private readonly byte[] _scratch = new byte[64 * 1024];

    /// <summary>Prints READY and answers each line of stdin until its end.</summary>
    internal static int Start()
    {
        Machine.BringLoopbackUp();
        _ = Machine.RaiseOpenFiles();
        LineWriter.Write(["READY"]);
        new SocketShell().Run();
        return 0;
    }

    private void Run()
    {
        LineReader reader = new(fd: 0);
        while (reader.ReadLine() is { } line && line != "quit")
        {
            IEnumerable<string> answer;
            try
            {
                answer = Answer(line.Split(' ', StringSplitOptions.RemoveEmptyEntries));
            }
            catch (Exception failure) when (failure is LabException or FormatException or IndexOutOfRangeException or ArgumentException)
            {
                answer = [$"error: {failure.Message}"];
            }

            LineWriter.Write([.. answer, EndMarker]);
        }
    }

    private static int Number(string word) => int.Parse(word, CultureInfo.InvariantCulture);

    private IEnumerable<string> Answer(string[] words) => words[0] switch
    {
        "listen" => Listen(words[1], Number(words[2]), words.Contains("mptcp")),
        "connect" => Connect(SocketPlan.Parse(words)),
        "accept" => Accept(Number(words[1]), Number(words[2])),
        "options" => Grouped(words[1], static socket => socket.Options()),
        "all-options" => Select(words[1]).Select(static socket => socket.AllOptions()),
        "look" => Grouped(words[1], static socket => socket.Look()),
        "info" => Select(words[1]).Select(static socket => $"1 {socket.Info()}"),
        "set" => Each(words[1], socket => socket.Set(Number(words[2]), Number(words[3]), Number(words[4]))),
        "send" => Send(words[1], Number(words[2])),
        "read" => Each(words[1], socket => socket.Read(_scratch)),
        "deafen" => Each(words[1], static socket => Tcp.Deafen(socket.Fd)),
        "hear" => Each(words[1], static socket => Tcp.SetOption(socket.Fd, Posix.SOL_SOCKET, Posix.SO_DETACH_FILTER, 0, "SO_DETACH_FILTER")),
        "shutdown" => Each(words[1], static socket => _ = Libc.Shutdown(socket.Fd, Posix.SHUT_WR)),
        "close" => Each(words[1], static socket => socket.Close()),
        "abort" => Each(words[1], static socket => socket.Abort()),
        "disconnect" => Each(words[1], static socket => socket.Disconnect()),
        "post" => Each(words[1], Hideout.Post),
        "register" => Each(words[1], Hideout.Register),
        "work" => new BusyOwner(Select(words[1]), SocketPlan.Parse(["connect", words[2], words[3], "1", "reuse"])).Run(Number(words[4])),
        "fork" => Fork(),
        _ => throw new LabException($"unknown command {words[0]}"),
    };

    private string[] Listen(string address, int port, bool mptcp)
    {
        var endpoint = SocketPlan.Address(address);
        bool v6 = address.Contains(':');
        int fd = Listeners.OpenSocket(v6, mptcp, flags: 0);
        Tcp.SetOption(fd, Posix.SOL_SOCKET, Posix.SO_REUSEADDR, 1, "SO_REUSEADDR");
        if (v6)
        {
            Tcp.SetOption(fd, Posix.SOL_IPV6, Posix.IPV6_V6ONLY, 0, "IPV6_V6ONLY");
        }

        var name = SockAddress.For(v6, endpoint, port);
        Errno.Check(Libc.Bind(fd, &name, name.Length), $"bind {address}");
        Errno.Check(Libc.Listen(fd, Backlog), "listen");
        _listeners.Add(port, fd);
        return [];
    }

    private string[] Connect(SocketPlan plan)
    {
        int first = _sockets.Count;
        for (int i = 0; i < plan.Count; i++)
        {
            _sockets.Add(new ShellSocket(plan.Open()));
        }

        return [Range(first)];
    }

    private string[] Accept(int port, int count)
    {
        int first = _sockets.Count;
        for (int i = 0; i < count; i++)
        {
            PollFd entry = new() { Fd = _listeners[port], Events = Posix.POLLIN };
            LabException.ThrowIf(Libc.Poll(&entry, 1, Wait.LimitMs) == 0, $"connection {i} of {count} did not arrive");
            _sockets.Add(new ShellSocket(Errno.Check(Libc.Accept4(_listeners[port], null, null, Posix.SOCK_CLOEXEC), "accept4")));
        }

        return [Range(first)];
    }

    private string Range(int first) => $"{first} {_sockets.Count - 1}";

    /// <summary>Describes the sockets of a range, with the count of each description.</summary>
    private IEnumerable<string> Grouped(string range, Func<ShellSocket, string> describe) => Select(range)
        .GroupBy(describe)
        .OrderBy(static group => group.Key, StringComparer.Ordinal)
        .Select(static group => $"{group.Count()} {group.Key}");

    private string[] Each(string range, Action<ShellSocket> act)
    {
        foreach (ShellSocket socket in Select(range))
        {
            act(socket);
        }

        return [];
    }

    /// <summary>
    /// Sends that many bytes over each socket, as far as they fit; reports when the first send began, by the monotonic
    /// clock.
    /// </summary>
    private IEnumerable<string> Send(string range, int bytes)
    {
        long* time = stackalloc long[2];
        _ = Libc.ClockGetTime(Posix.CLOCK_MONOTONIC, time);
        long at = (time[0] * 1000) + (time[1] / 1_000_000);
        string[] sent = [.. Select(range).Select(socket => socket.Send(_scratch, bytes))];
        return sent.Distinct().Prepend($"at={at}");
    }

    /// <summary>Forks a child that also has every descriptor, and ends with this process.</summary>
    private static string[] Fork()
    {
        int pid = Libc.Fork();
        if (pid == 0)
        {
            _ = Libc.PrctlAfterFork(Posix.PR_SET_PDEATHSIG, Posix.SIGKILL, 0, 0, 0);
            for (int fd = 0; fd < 3; fd++)
            {
                _ = Libc.CloseAfterFork(fd); // their readers wait for the end of file
            }

            while (true)
            {
                _ = Libc.Pause();
            }
        }

        return pid > 0 ? [$"pid={pid}"] : throw new LabException("fork failed");
    }

    /// <summary>The sockets of a range such as <c>3</c> or <c>0-9</c>.</summary>
    private List<ShellSocket> Select(string range)
    {
        int dash = range.IndexOf('-');
        int first = Number(dash < 0 ? range : range[..dash]);
        int last = dash < 0 ? first : Number(range[(dash + 1)..]);
        return _sockets.GetRange(first, last - first + 1);
    }
}
