using System.Text;

namespace TcpCloser.Tests.Kill;

/// <summary>Which connection carries your session, found through the ancestors of this process.</summary>
public sealed class OwnSessionFilterTests : StepTestBase
{
    private const int Pty = 136 << 8;
    private const int Login = 40;
    private const int Shell = 50;
    private const int Other = 41;

    /// <summary>The sockets of any ancestor are spared; those of its siblings are not.</summary>
    [Fact]
    public void OwnSession_SocketsOfAncestors_AreSpared()
    {
        AddAncestry(new FakeProcess(Login) { Parent = 1, Uid = 0 });
        FakeTcp own = AddRoots(Process(Login));
        FakeTcp others = AddDaemon();
        FakeTcp shells = AddRoots(Process(Shell));
        Assert.Equal(["Spared", "Pending", "Spared"], Filter(own, others, shells));
        Assert.Empty(Sink.Notices);
    }

    /// <summary>Over loopback both ends are on this machine, and closing the client's end would also end the session.</summary>
    [Theory]
    [Values(false, true)]
    public void OwnSession_OverLoopback_SparesBothEnds(bool mayNotBeFetched)
    {
        AddAncestry(new FakeProcess(Login) { Parent = 1, Uid = 0 });
        FakeTcp own = AddRoots(Process(Login));
        FakeTcp client = AddOtherEndOf(own, Host.Add(new FakeProcess(Other)));
        FakeTcp reversedOnly = AddRoots();
        reversedOnly.Dumped = reversedOnly.Dumped with { SourcePort = own.Dumped.DestinationPort };
        Host.Faults.Fail("fetch socket", mayNotBeFetched ? Errno.EPERM : 0);
        Assert.Equal(["Spared", "Spared", "Pending"], Filter(own, client, reversedOnly));
    }

    /// <summary>A system call filter may kill this process for fetching a socket, so only the kernel's list is used.</summary>
    [Fact]
    public void OwnSession_UnderASystemCallFilter_FetchesNoSocket()
    {
        AddAncestry(new FakeProcess(Login) { Parent = 1, Uid = 0 }, isFiltered: true);
        FakeTcp own = AddRoots(Process(Login));
        Assert.Equal(["Spared", "Spared"], Filter(own, AddOtherEndOf(own, Host.Add(new FakeProcess(Other)))));
        Assert.DoesNotContain("fetch socket", Host.Faults.Calls);
        Assert.DoesNotContain("open process", Host.Faults.Calls);
    }

    /// <summary>If process 1 refuses its sockets, they are not looked up: nobody logged in through process 1.</summary>
    [Fact]
    public void OwnSession_ProcessOneRefusesItsSockets_LooksNothingUp()
    {
        Host.Add(new FakeProcess(1) { Uid = 0 });
        Host.Add(new FakeProcess(Host.Self) { Parent = 1 });
        FakeTcp held = AddRoots(Process(1));
        Host.Faults.Fail("fetch socket", Errno.EPERM);
        Assert.Equal(["Spared", "Pending"], Filter(held, AddOtherEndOf(held)));
        Assert.DoesNotContain("send", Host.Faults.Calls);
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
        Host.Add(new FakeProcess(1) { Uid = 0 });
        Host.Add(new FakeProcess(Shell) { Parent = 1, Environment = environment });
        Host.Add(new FakeProcess(Host.Self) { Parent = Shell });
        FakeTcp session = AddRoots();
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
        FakeTcp daemons = AddDaemon();
        FakeTcp workers = AddRoots(Host.Add(new FakeProcess(200)));
        Assert.Equal([outcome, "Pending"], Filter(daemons, workers));
        Assert.Equal(outcome == "Spared" ? 1 : 0, Sink.Notices.Count);
        Assert.All(Sink.Notices, static notice => Assert.Contains("so 1 connection of login daemons is spared", notice, StringComparison.Ordinal));
    }

    [Fact]
    public void OwnSession_AncestorHidden_SparesSocketsOfLoginDaemons()
    {
        Host.Add(new FakeProcess(Host.Self) { Parent = Shell, Terminal = Pty });
        Assert.Equal(["Spared"], Filter(AddDaemon()));
    }

    /// <summary>Anything that cannot be read about this process or an ancestor counts as a login by an unknown user.</summary>
    [Theory]
    [Values("read stat", "read comm", "read environ", "open fd", "list fd", "read fd")]
    public void OwnSession_AnyReadOfAnAncestorFails_SparesSocketsOfLoginDaemons(string call)
    {
        AddAncestry(new FakeProcess(Login) { Parent = 1, Uid = 0, Comm = "sshd"u8.ToArray(), Descriptors = { [9] = "pipe:[1]" } });
        FakeTcp daemons = AddDaemon();
        Host.Faults.FailOnce(call, Errno.EMFILE);
        Assert.Equal(["Spared"], Filter(daemons));
    }

    /// <summary>Process 1 is nobody's login, and a process that has ended holds no session.</summary>
    [Theory]
    [InlineData(1, Errno.EACCES)]
    [InlineData(Login, Errno.ESRCH)]
    [InlineData(Login, Errno.ENOENT)]
    public void OwnSession_ProcessOneOrEndedAncestorRefuses_SparesNothing(int pid, int errno)
    {
        Host.Add(new FakeProcess(1) { Uid = 0, Refusal = pid == 1 ? errno : 0 });
        Host.Add(new FakeProcess(Login) { Parent = 1, Comm = "sshd"u8.ToArray(), Refusal = pid == Login ? errno : 0 });
        Host.Add(new FakeProcess(Host.Self) { Parent = Login, Terminal = Pty });
        FakeTcp daemons = AddDaemon();
        Assert.Equal(["Pending"], Filter(daemons));
        Assert.Empty(Sink.Notices);
    }

    /// <summary>A daemon that cannot be inspected may hold any of root's sockets whose holder is unknown.</summary>
    [Fact]
    public void OwnSession_LoginDaemonUnreadable_SparesRootsSocketsOfUnknownHolders()
    {
        AddAncestry(new FakeProcess(Login) { Parent = 1, Uid = 0, Comm = "sshd"u8.ToArray(), Refusal = Errno.EACCES }, terminal: Pty);
        FakeTcp roots = AddRoots();
        FakeTcp rootsOfWorker = AddRoots(Host.Add(new FakeProcess(200)));
        FakeTcp users = AddRoots();
        users.Dumped = users.Dumped with { Uid = 1000 };
        FakeTcp orphan = AddRoots();
        orphan.Dumped = orphan.Dumped with { Inode = 0 };
        Assert.Equal(["Spared", "Pending", "Pending", "Pending"], Filter(roots, rootsOfWorker, users, orphan));
    }

    /// <summary>Your session is that of the attached client, found by the terminals that the server has open.</summary>
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
        Host.Add(new FakeProcess(1) { Uid = 0 });
        Host.Add(new FakeProcess(Login) { Parent = 1, Uid = 0, Comm = "sshd-session"u8.ToArray() });
        Host.Add(new FakeProcess(60) { Parent = Login, Terminal = terminal, Comm = "tmux: client"u8.ToArray() });
        Host.Add(new FakeProcess(70) { Parent = 1, Comm = Encoding.ASCII.GetBytes(server), Descriptors = { [8] = open } });
        Host.Add(new FakeProcess(Host.Self) { Parent = 70, Terminal = Pty | 9 });
        FakeTcp session = AddRoots(Process(Login));
        Assert.Equal([outcome], Filter(session));
        Assert.Empty(Sink.Notices);
    }

    /// <summary>A terminal of the server that cannot be read may be the client's.</summary>
    [Fact]
    public void OwnSession_TmuxTerminalUnreadable_SparesSocketsOfLoginDaemons()
    {
        Host.Add(new FakeProcess(1) { Uid = 0 });
        Host.Add(new FakeProcess(70) { Parent = 1, Comm = "tmux: server"u8.ToArray(), Descriptors = { [8] = "/dev/pts/3" } });
        Host.Add(new FakeProcess(Host.Self) { Parent = 70, Terminal = Pty | 9 });
        FakeTcp daemons = AddDaemon();
        Host.Faults.FailOnce("read fd", Errno.ENOMEM, which: 1);
        Assert.Equal(["Spared"], Filter(daemons));
    }

    [Theory]
    [Rows("OpenProc | ENOENT | true", "OpenProc | EACCES | true", "OpenProc | EMFILE | false", "OpenProc | ENFILE | false",
        "OpenProc | ENOMEM | false", "UseProc | ESRCH | true", "ListProcesses | ENOENT | true", "ListSockets | ENOENT | false")]
    public void OwnSession_ProcUnavailable_UsesSshConnectionOrThrows(object operation, int errno, bool goesOn)
    {
        ConnectionList candidates = Host.Candidates(AddRoots());
        var sink = new RecordingSink(candidates);
        var machine = new Machine(Host.Network, () => throw new SystemCallException(new Failure((Operation)operation, errno)));
        Exception? thrown = Record.Exception(() => new OwnSessionFilter().Run(candidates, Contexts.Of(machine, sink)));
        Assert.Equal(goesOn ? null : errno, (thrown as SystemCallException)?.Failure.Errno);
        Assert.Equal(goesOn ? ["without a /proc of this pid namespace, your session is recognized by SSH_CONNECTION only"] : [], sink.Notices);
    }

    private FakeTcp AddOtherEndOf(FakeTcp own, params FakeProcess[] holders)
    {
        FakeTcp other = Add(holders);
        other.Dumped = other.Dumped with
        {
            Source = own.Dumped.Destination,
            SourcePort = own.Dumped.DestinationPort,
            Destination = own.Dumped.Source,
            DestinationPort = own.Dumped.SourcePort,
        };
        return other;
    }

    /// <summary>Adds a socket of a login daemon that is no ancestor of this process.</summary>
    private FakeTcp AddDaemon() => AddRoots(Host.Add(new FakeProcess(Other) { Parent = 1, Uid = 0, Comm = "sshd-session"u8.ToArray() }));

    /// <summary>Adds process 1, the login daemon, a shell, and this process.</summary>
    private void AddAncestry(FakeProcess login, bool isFiltered = false, int terminal = 0)
    {
        Host.Add(new FakeProcess(1) { Uid = 0 });
        Host.Add(login);
        Host.Add(new FakeProcess(Shell) { Parent = Login, Terminal = terminal });
        Host.Add(new FakeProcess(Host.Self) { Parent = Shell, Terminal = terminal, HasSeccompFilter = isFiltered });
    }

    private FakeProcess Process(int pid) => Host.Processes.Find(process => process.Pid == pid)!;

    private FakeTcp AddRoots(params FakeProcess[] holders)
    {
        FakeTcp socket = Add(holders);
        socket.Dumped = socket.Dumped with { Uid = 0 };
        return socket;
    }

    private string[] Filter(params FakeTcp[] sockets) => Run(new OwnSessionFilter(), Host.Candidates(sockets));
}
