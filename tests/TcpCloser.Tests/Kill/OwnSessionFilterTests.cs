using System.Text;

namespace TcpCloser.Tests.Kill;

/// <summary>Which connection carries your session, found through the ancestors of this process.</summary>
public sealed class OwnSessionFilterTests
{
    private const int Pty = 136 << 8;
    private const int Login = 40;
    private const int Shell = 50;
    private const int Other = 41;

    private readonly FakeHost _host = new();
    private RecordingSink _sink = new(new ConnectionList());
    private uint _next = 500;

    /// <summary>The sockets of any ancestor are spared; those of its siblings are not.</summary>
    [Fact]
    public void OwnSession_SocketsOfAncestors_AreSpared()
    {
        AddAncestry(new FakeProcess(Login) { Parent = 1, Uid = 0 });
        FakeTcp own = Add(Process(Login));
        FakeTcp others = Add(_host.Add(new FakeProcess(Other) { Parent = 1, Uid = 0, Comm = "sshd-session"u8.ToArray() }));
        FakeTcp shells = Add(Process(Shell));
        Assert.Equal(["Spared", "Pending", "Spared"], Filter(own, others, shells));
        Assert.Empty(_sink.Notices);
    }

    /// <summary>Over loopback both ends are on this machine, and closing the client's end would also end the session.</summary>
    [Theory]
    [Values(false, true)]
    public void OwnSession_OverLoopback_SparesBothEnds(bool mayNotBeFetched)
    {
        AddAncestry(new FakeProcess(Login) { Parent = 1, Uid = 0 });
        FakeTcp own = Add(Process(Login));
        FakeTcp client = Add(_host.Add(new FakeProcess(Other)));
        client.Dumped = OtherEndOf(client, own);
        FakeTcp reversedOnly = Add();
        reversedOnly.Dumped = reversedOnly.Dumped with { SourcePort = own.Dumped.DestinationPort };
        _host.Faults.Errno = (call, _) => mayNotBeFetched && call == "fetch socket" ? Errno.EPERM : 0;
        Assert.Equal(["Spared", "Spared", "Pending"], Filter(own, client, reversedOnly));
    }

    /// <summary>A system call filter may kill this process for fetching a socket, so only the kernel's list is used.</summary>
    [Fact]
    public void OwnSession_UnderASystemCallFilter_FetchesNoSocket()
    {
        AddAncestry(new FakeProcess(Login) { Parent = 1, Uid = 0 }, isFiltered: true);
        FakeTcp own = Add(Process(Login));
        FakeTcp client = Add(_host.Add(new FakeProcess(Other)));
        client.Dumped = OtherEndOf(client, own);
        Assert.Equal(["Spared", "Spared"], Filter(own, client));
        Assert.DoesNotContain("fetch socket", _host.Faults.Calls);
        Assert.DoesNotContain("open process", _host.Faults.Calls);
    }

    /// <summary>If process 1 refuses its sockets, they are not looked up: nobody logged in through process 1.</summary>
    [Fact]
    public void OwnSession_ProcessOneRefusesItsSockets_LooksNothingUp()
    {
        _host.Add(new FakeProcess(1) { Uid = 0 });
        _host.Add(new FakeProcess(_host.Self) { Parent = 1 });
        FakeTcp held = Add(Process(1));
        FakeTcp otherEnd = Add();
        otherEnd.Dumped = OtherEndOf(otherEnd, held);
        _host.Faults.Errno = static (call, _) => call == "fetch socket" ? Errno.EPERM : 0;
        Assert.Equal(["Spared", "Pending"], Filter(held, otherEnd));
        Assert.DoesNotContain("send", _host.Faults.Calls);
    }

    /// <summary>sudo removes the variable from this process; the shell still has it.</summary>
    [Theory]
    [Rows("SSH_CONNECTION=10.0.0.2 51422 10.0.0.1 22 | Spared", "HOME=/\0SSH_CONNECTION=10.0.0.2 51422 10.0.0.1 22\0TERM=x\0 | Spared",
        "SSH_CONNECTION=10.0.0.1 22 10.0.0.2 51422 | Spared", "SSH_CONNECTION=10.0.0.2%eth0 51422 10.0.0.1%eth0 22 | Spared",
        "SSH_CONNECTION=10.0.0.2 51423 10.0.0.1 22 | Pending", "SSH_CONNECTION=10.0.0.3 51422 10.0.0.1 22 | Pending",
        "SSH_CONNECTION=10.0.0.2 51422 10.0.0.1 23 | Pending", "SSH_CONNECTION=10.0.0.2 51422 10.0.0.1 | Pending",
        "SSH_CONNECTION=10.0.0.2 x 10.0.0.1 22 | Pending", "SSH_CONNECTION=10.0.0.2 51422 10.0.0.1 65558 | Pending",
        "XSSH_CONNECTION=10.0.0.2 51422 10.0.0.1 22 | Pending")]
    [InlineData("", "Pending")]
    public void OwnSession_SshConnectionOfAnAncestor_SparesExactlyThatConnection(string environment, string outcome)
    {
        _host.Add(new FakeProcess(1) { Uid = 0 });
        _host.Add(new FakeProcess(Shell) { Parent = 1, Environment = environment });
        _host.Add(new FakeProcess(_host.Self) { Parent = Shell });
        FakeTcp session = Add();
        session.Dumped = session.Dumped with { DestinationPort = 51_422 };
        Assert.Equal([outcome], Filter(session));
    }

    /// <summary>
    /// If somebody logged in and an ancestor cannot be inspected, the sockets of login daemons are spared. A terminal, or the name of the
    /// daemon, shows that somebody logged in.
    /// </summary>
    [Theory]
    [Rows("sshd-session | 0 | Spared", "dropbear | 0 | Spared", "in.telnetd | 0 | Spared", "cron | 0 | Pending")]
    [InlineData("cron", Pty, "Spared")]
    public void OwnSession_AncestorUnreadableAfterALogin_SparesSocketsOfLoginDaemons(string comm, int terminal, string outcome)
    {
        AddAncestry(new FakeProcess(Login) { Parent = 1, Uid = 0, Comm = Encoding.ASCII.GetBytes(comm), Refusal = Errno.EACCES }, terminal: terminal);
        FakeTcp daemons = Add(_host.Add(new FakeProcess(Other) { Parent = 1, Uid = 0, Comm = "sshd-session"u8.ToArray() }));
        FakeTcp workers = Add(_host.Add(new FakeProcess(200)));
        Assert.Equal([outcome, "Pending"], Filter(daemons, workers));
        Assert.Equal(outcome == "Spared" ? 1 : 0, _sink.Notices.Count);
        Assert.All(_sink.Notices, static notice => Assert.Contains("so 1 connection of login daemons is spared", notice, StringComparison.Ordinal));
    }

    /// <summary>A hidden parent cannot be inspected either.</summary>
    [Fact]
    public void OwnSession_AncestorHidden_SparesSocketsOfLoginDaemons()
    {
        _host.Add(new FakeProcess(_host.Self) { Parent = Shell, Terminal = Pty });
        FakeTcp daemons = Add(_host.Add(new FakeProcess(Other) { Uid = 0, Comm = "sshd"u8.ToArray() }));
        Assert.Equal(["Spared"], Filter(daemons));
    }

    /// <summary>Anything that cannot be read about this process or an ancestor counts as a login by an unknown user.</summary>
    [Theory]
    [Values("read stat", "read comm", "read environ", "open fd", "list fd", "read fd")]
    public void OwnSession_AnyReadOfAnAncestorFails_SparesSocketsOfLoginDaemons(string call)
    {
        AddAncestry(new FakeProcess(Login) { Parent = 1, Uid = 0, Comm = "sshd"u8.ToArray(), Descriptors = { [9] = "pipe:[1]" } });
        FakeTcp daemons = Add(_host.Add(new FakeProcess(Other) { Parent = 1, Uid = 0, Comm = "sshd"u8.ToArray() }));
        int calls = 0;
        _host.Faults.Errno = (name, _) => name == call && ++calls == 1 ? Errno.EMFILE : 0;
        Assert.Equal(["Spared"], Filter(daemons));
    }

    /// <summary>Process 1 is nobody's login, and a process that has ended holds no session.</summary>
    [Theory]
    [InlineData(1, Errno.EACCES)]
    [InlineData(Login, Errno.ESRCH)]
    [InlineData(Login, Errno.ENOENT)]
    public void OwnSession_ProcessOneOrEndedAncestorRefuses_SparesNothing(int pid, int errno)
    {
        _host.Add(new FakeProcess(1) { Uid = 0, Refusal = pid == 1 ? errno : 0 });
        _host.Add(new FakeProcess(Login) { Parent = 1, Comm = "sshd"u8.ToArray(), Refusal = pid == Login ? errno : 0 });
        _host.Add(new FakeProcess(_host.Self) { Parent = Login, Terminal = Pty });
        FakeTcp daemons = Add(_host.Add(new FakeProcess(Other) { Parent = 1, Uid = 0, Comm = "sshd"u8.ToArray() }));
        Assert.Equal(["Pending"], Filter(daemons));
        Assert.Empty(_sink.Notices);
    }

    /// <summary>A daemon that cannot be inspected may hold any of root's sockets whose holder is unknown.</summary>
    [Fact]
    public void OwnSession_LoginDaemonUnreadable_SparesRootsSocketsOfUnknownHolders()
    {
        AddAncestry(new FakeProcess(Login) { Parent = 1, Uid = 0, Comm = "sshd"u8.ToArray(), Refusal = Errno.EACCES }, terminal: Pty);
        FakeTcp roots = Add();
        FakeTcp rootsOfWorker = Add(_host.Add(new FakeProcess(200)));
        FakeTcp users = Add();
        users.Dumped = users.Dumped with { Uid = 1000 };
        FakeTcp orphan = Add();
        orphan.Dumped = orphan.Dumped with { Inode = 0 };
        Assert.Equal(["Spared", "Pending", "Pending", "Pending"], Filter(roots, rootsOfWorker, users, orphan));
    }

    /// <summary>
    /// Below tmux and screen, your session is that of the attached client, found by the terminals that the server has open.
    /// </summary>
    [Theory]
    [InlineData("tmux: server", "/dev/pts/3", Pty | 3, "Spared")]
    [InlineData("screen", "/dev/pts/300", (137 << 8) | 44, "Spared")]
    [InlineData("tmux: server", "/dev/tty1", (4 << 8) | 1, "Spared")]
    [InlineData("tmux: server", "/dev/pts/3", Pty | 4, "Pending")]
    [InlineData("tmux: server", "/dev/pts/", Pty, "Pending")]
    [InlineData("tmux: server", "/dev/pts/0 (deleted)", Pty, "Pending")]
    [InlineData("tmux: server", "/dev/ttyS0", 4 << 8, "Pending")]
    [InlineData("tmux: server", "/dev/pts/ptmx", 0, "Pending")]
    [InlineData("bash", "/dev/pts/3", Pty | 3, "Pending")]
    public void OwnSession_BelowTmuxOrScreen_SparesTheAttachedClientsConnection(string server, string open, int terminal, string outcome)
    {
        _host.Add(new FakeProcess(1) { Uid = 0 });
        _host.Add(new FakeProcess(Login) { Parent = 1, Uid = 0, Comm = "sshd-session"u8.ToArray() });
        _host.Add(new FakeProcess(60) { Parent = Login, Terminal = terminal, Comm = "tmux: client"u8.ToArray() });
        _host.Add(new FakeProcess(70) { Parent = 1, Comm = Encoding.ASCII.GetBytes(server), Descriptors = { [8] = open } });
        _host.Add(new FakeProcess(_host.Self) { Parent = 70, Terminal = Pty | 9 });
        FakeTcp session = Add(Process(Login));
        Assert.Equal([outcome], Filter(session));
        Assert.Empty(_sink.Notices);
    }

    /// <summary>A terminal of the server that cannot be read may be the client's.</summary>
    [Fact]
    public void OwnSession_TmuxTerminalUnreadable_SparesSocketsOfLoginDaemons()
    {
        _host.Add(new FakeProcess(1) { Uid = 0 });
        _host.Add(new FakeProcess(70) { Parent = 1, Comm = "tmux: server"u8.ToArray(), Descriptors = { [8] = "/dev/pts/3" } });
        _host.Add(new FakeProcess(_host.Self) { Parent = 70, Terminal = Pty | 9 });
        FakeTcp daemons = Add(_host.Add(new FakeProcess(Other) { Parent = 1, Uid = 0, Comm = "sshd"u8.ToArray() }));
        int read = 0;
        _host.Faults.Errno = (call, _) => call == "read fd" && ++read == 2 ? Errno.ENOMEM : 0;
        Assert.Equal(["Spared"], Filter(daemons));
    }

    [Theory]
    [Rows("OpenProc | ENOENT | true", "OpenProc | EACCES | true", "OpenProc | EMFILE | false", "OpenProc | ENFILE | false",
        "OpenProc | ENOMEM | false", "UseProc | ESRCH | true", "ListProcesses | ENOENT | true", "ListSockets | ENOENT | false")]
    public void OwnSession_ProcUnavailable_UsesSshConnectionOrThrows(string operation, int errno, bool goesOn)
    {
        FakeTcp session = Add();
        ConnectionList candidates = _host.Candidates(session);
        _sink = new RecordingSink(candidates);
        var machine = new Machine(_host.Network, () => throw new SystemCallException(new Failure(Enum.Parse<Operation>(operation), errno)));
        void Apply() => new OwnSessionFilter().Run(candidates, Contexts.Of(machine, _sink));
        if (goesOn)
        {
            Apply();
            Assert.Contains("SSH_CONNECTION only", Assert.Single(_sink.Notices), StringComparison.Ordinal);
        }
        else
        {
            Assert.Equal(errno, Assert.Throws<SystemCallException>(Apply).Failure.Errno);
        }
    }

    private static DumpedSocket OtherEndOf(FakeTcp socket, FakeTcp own) => socket.Dumped with
    {
        Source = own.Dumped.Destination,
        SourcePort = own.Dumped.DestinationPort,
        Destination = own.Dumped.Source,
        DestinationPort = own.Dumped.SourcePort,
    };

    /// <summary>Adds process 1, the login daemon, a shell, and this process.</summary>
    private void AddAncestry(FakeProcess login, bool isFiltered = false, int terminal = 0)
    {
        _host.Add(new FakeProcess(1) { Uid = 0 });
        _host.Add(login);
        _host.Add(new FakeProcess(Shell) { Parent = Login, Terminal = terminal });
        _host.Add(new FakeProcess(_host.Self) { Parent = Shell, Terminal = terminal, HasSeccompFilter = isFiltered });
    }

    private FakeProcess Process(int pid) => _host.Processes.Find(process => process.Pid == pid)!;

    private FakeTcp Add(params FakeProcess[] holders) =>
        _host.Add(new FakeTcp(new DumpedSocket { Inode = _next++, Cookie = _next, DestinationPort = (ushort)_next, Uid = 0 }), holders);

    private string[] Filter(params FakeTcp[] sockets)
    {
        ConnectionList candidates = _host.Candidates(sockets);
        _sink = new RecordingSink(candidates);
        new OwnSessionFilter().Run(candidates, Contexts.Of(_host.Machine, _sink));
        Assert.Equal(0, _host.AllLeftOpen);
        return [.. Enumerable.Range(0, candidates.Count).Select(i => candidates[i].Outcome.ToString())];
    }
}
