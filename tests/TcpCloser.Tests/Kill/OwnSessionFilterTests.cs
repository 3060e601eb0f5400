using System.Text;
using TcpCloser.Diag;
using TcpCloser.Interop;
using TcpCloser.Kill;
using TcpCloser.Tests.Support;

namespace TcpCloser.Tests.Kill;

/// <summary>Which connection the operator sits on, told by the processes that this one comes from.</summary>
public sealed class OwnSessionFilterTests
{
    private const int Pty = 136 << 8;
    private const int Login = 40;
    private const int Shell = 50;
    private const int Other = 41;

    private readonly FakeHost _host = new();
    private RecordingSink _sink = new(new ConnectionList());
    private uint _next = 500;

    /// <summary>What an ancestor holds, whoever it is; not what its siblings hold.</summary>
    [Fact]
    public void TheSocketsOfAncestors()
    {
        Ancestry(new FakeProcess(Login) { Parent = 1, Uid = 0 });
        FakeTcp own = Add(Process(Login));
        FakeTcp others = Add(_host.Add(new FakeProcess(Other) { Parent = 1, Uid = 0, Comm = "sshd-session"u8.ToArray() }));
        FakeTcp shells = Add(Process(Shell));
        Assert.Equal(["Spared", "Idle", "Spared"], Filter(own, others, shells));
        Assert.Empty(_sink.Notices);
    }

    /// <summary>Over loopback both ends are here, and closing the client's would end the session, too.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void BothEndsOverLoopback(bool mayNotBeFetched)
    {
        Ancestry(new FakeProcess(Login) { Parent = 1, Uid = 0 });
        FakeTcp own = Add(Process(Login));
        FakeTcp client = Add(_host.Add(new FakeProcess(Other)));
        client.Dumped = OtherEndOf(client, own);
        FakeTcp reversedOnly = Add();
        reversedOnly.Dumped = reversedOnly.Dumped with { SourcePort = own.Dumped.DestinationPort };
        _host.Faults.Errno = (call, _) => mayNotBeFetched && call == "fetch socket" ? Errno.EPERM : 0;
        Assert.Equal(["Spared", "Spared", "Idle"], Filter(own, client, reversedOnly));
    }

    /// <summary>A filter of system calls may end this process for the call that fetches a socket: then the kernel's list has to do.</summary>
    [Fact]
    public void UnderASystemCallFilterNothingIsFetched()
    {
        Ancestry(new FakeProcess(Login) { Parent = 1, Uid = 0 }, isFiltered: true);
        FakeTcp own = Add(Process(Login));
        FakeTcp client = Add(_host.Add(new FakeProcess(Other)));
        client.Dumped = OtherEndOf(client, own);
        Assert.Equal(["Spared", "Spared"], Filter(own, client));
        Assert.DoesNotContain("fetch socket", _host.Faults.Calls);
        Assert.DoesNotContain("open process", _host.Faults.Calls);
    }

    /// <summary>What process 1 holds that cannot be fetched is not looked up: nobody logged in there.</summary>
    [Fact]
    public void ProcessOneThatGivesNothing()
    {
        _host.Add(new FakeProcess(1) { Uid = 0 });
        _host.Add(new FakeProcess(_host.Self) { Parent = 1 });
        FakeTcp held = Add(Process(1));
        FakeTcp otherEnd = Add();
        otherEnd.Dumped = OtherEndOf(otherEnd, held);
        _host.Faults.Errno = static (call, _) => call == "fetch socket" ? Errno.EPERM : 0;
        Assert.Equal(["Spared", "Idle"], Filter(held, otherEnd));
        Assert.DoesNotContain("send", _host.Faults.Calls);
    }

    /// <summary>sudo takes the variable away from this process; the shell's still has it.</summary>
    [Theory]
    [InlineData("SSH_CONNECTION=10.0.0.2 51422 10.0.0.1 22", "Spared")]
    [InlineData("HOME=/\0SSH_CONNECTION=10.0.0.2 51422 10.0.0.1 22\0TERM=x\0", "Spared")]
    [InlineData("SSH_CONNECTION=10.0.0.1 22 10.0.0.2 51422", "Spared")]
    [InlineData("SSH_CONNECTION=10.0.0.2%eth0 51422 10.0.0.1%eth0 22", "Spared")]
    [InlineData("SSH_CONNECTION=10.0.0.2 51423 10.0.0.1 22", "Idle")]
    [InlineData("SSH_CONNECTION=10.0.0.3 51422 10.0.0.1 22", "Idle")]
    [InlineData("SSH_CONNECTION=10.0.0.2 51422 10.0.0.1 23", "Idle")]
    [InlineData("SSH_CONNECTION=10.0.0.2 51422 10.0.0.1", "Idle")]
    [InlineData("SSH_CONNECTION=10.0.0.2 x 10.0.0.1 22", "Idle")]
    [InlineData("SSH_CONNECTION=10.0.0.2 51422 10.0.0.1 65558", "Idle")]
    [InlineData("XSSH_CONNECTION=10.0.0.2 51422 10.0.0.1 22", "Idle")]
    [InlineData("", "Idle")]
    public void TheVariableOfAnAncestor(string environment, string outcome)
    {
        _host.Add(new FakeProcess(1) { Uid = 0 });
        _host.Add(new FakeProcess(Shell) { Parent = 1, Environment = environment });
        _host.Add(new FakeProcess(_host.Self) { Parent = Shell });
        FakeTcp session = Add();
        session.Dumped = session.Dumped with { DestinationPort = 51_422 };
        Assert.Equal([outcome], Filter(session));
    }

    /// <summary>
    /// Where somebody logged in and an ancestor cannot be looked at, what login daemons hold is spared. Who logged in shows by a terminal, or
    /// by the daemon's name.
    /// </summary>
    [Theory]
    [InlineData("sshd-session", 0, "Spared")]
    [InlineData("dropbear", 0, "Spared")]
    [InlineData("in.telnetd", 0, "Spared")]
    [InlineData("cron", Pty, "Spared")]
    [InlineData("cron", 0, "Idle")]
    public void AnAncestorThatCannotBeLookedAt(string comm, int terminal, string outcome)
    {
        Ancestry(new FakeProcess(Login) { Parent = 1, Uid = 0, Comm = Encoding.ASCII.GetBytes(comm), Refusal = Errno.EACCES }, terminal: terminal);
        FakeTcp daemons = Add(_host.Add(new FakeProcess(Other) { Parent = 1, Uid = 0, Comm = "sshd-session"u8.ToArray() }));
        FakeTcp workers = Add(_host.Add(new FakeProcess(200)));
        Assert.Equal([outcome, "Idle"], Filter(daemons, workers));
        Assert.Equal(outcome == "Spared" ? 1 : 0, _sink.Notices.Count);
        Assert.All(_sink.Notices, static notice => Assert.Contains("so 1 connections of login daemons are spared", notice, StringComparison.Ordinal));
    }

    /// <summary>A parent that is hidden is not looked at either.</summary>
    [Fact]
    public void AHiddenAncestor()
    {
        _host.Add(new FakeProcess(_host.Self) { Parent = Shell, Terminal = Pty });
        FakeTcp daemons = Add(_host.Add(new FakeProcess(Other) { Uid = 0, Comm = "sshd"u8.ToArray() }));
        Assert.Equal(["Spared"], Filter(daemons));
    }

    /// <summary>Whatever cannot be read of this process or an ancestor may be what tells: it is taken for a login, by somebody unknown.</summary>
    [Theory]
    [InlineData("read stat")]
    [InlineData("read comm")]
    [InlineData("read environ")]
    [InlineData("open fd")]
    [InlineData("list fd")]
    [InlineData("read fd")]
    public void WhatCannotBeReadOfAnAncestor(string call)
    {
        Ancestry(new FakeProcess(Login) { Parent = 1, Uid = 0, Comm = "sshd"u8.ToArray(), Descriptors = { [9] = "pipe:[1]" } });
        FakeTcp daemons = Add(_host.Add(new FakeProcess(Other) { Parent = 1, Uid = 0, Comm = "sshd"u8.ToArray() }));
        int calls = 0;
        _host.Faults.Errno = (name, _) => name == call && ++calls == 1 ? Errno.EMFILE : 0;
        Assert.Equal(["Spared"], Filter(daemons));
    }

    /// <summary>Process 1 is nobody's login, and what ended meanwhile holds no session.</summary>
    [Theory]
    [InlineData(1, Errno.EACCES)]
    [InlineData(Login, Errno.ESRCH)]
    [InlineData(Login, Errno.ENOENT)]
    public void WhoseRefusalDoesNotMatter(int pid, int errno)
    {
        _host.Add(new FakeProcess(1) { Uid = 0, Refusal = pid == 1 ? errno : 0 });
        _host.Add(new FakeProcess(Login) { Parent = 1, Comm = "sshd"u8.ToArray(), Refusal = pid == Login ? errno : 0 });
        _host.Add(new FakeProcess(_host.Self) { Parent = Login, Terminal = Pty });
        FakeTcp daemons = Add(_host.Add(new FakeProcess(Other) { Parent = 1, Uid = 0, Comm = "sshd"u8.ToArray() }));
        Assert.Equal(["Idle"], Filter(daemons));
        Assert.Empty(_sink.Notices);
    }

    /// <summary>A daemon that cannot be looked into may hold any socket of root's whose holder is not known.</summary>
    [Fact]
    public void ADaemonThatCannotBeLookedInto()
    {
        Ancestry(new FakeProcess(Login) { Parent = 1, Uid = 0, Comm = "sshd"u8.ToArray(), Refusal = Errno.EACCES }, terminal: Pty);
        FakeTcp roots = Add();
        FakeTcp rootsOfWorker = Add(_host.Add(new FakeProcess(200)));
        FakeTcp users = Add();
        users.Dumped = users.Dumped with { Uid = 1000 };
        FakeTcp orphan = Add();
        orphan.Dumped = orphan.Dumped with { Inode = 0 };
        Assert.Equal(["Spared", "Idle", "Idle", "Idle"], Filter(roots, rootsOfWorker, users, orphan));
    }

    /// <summary>Below tmux and screen the session is the attached client's, found by the terminals that the server has open.</summary>
    [Theory]
    [InlineData("tmux: server", "/dev/pts/3", Pty | 3, "Spared")]
    [InlineData("screen", "/dev/pts/300", (137 << 8) | 44, "Spared")]
    [InlineData("tmux: server", "/dev/tty1", (4 << 8) | 1, "Spared")]
    [InlineData("tmux: server", "/dev/pts/3", Pty | 4, "Idle")]
    [InlineData("tmux: server", "/dev/pts/", Pty, "Idle")]
    [InlineData("tmux: server", "/dev/pts/0 (deleted)", Pty, "Idle")]
    [InlineData("tmux: server", "/dev/ttyS0", 4 << 8, "Idle")]
    [InlineData("tmux: server", "/dev/pts/ptmx", 0, "Idle")]
    [InlineData("bash", "/dev/pts/3", Pty | 3, "Idle")]
    public void BelowTmuxAndScreen(string server, string open, int terminal, string outcome)
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

    /// <summary>A terminal of the server's that cannot be read may be that of the client.</summary>
    [Fact]
    public void ATerminalThatCannotBeRead()
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
    [InlineData("OpenProc", Errno.ENOENT, true)]
    [InlineData("OpenProc", Errno.EACCES, true)]
    [InlineData("OpenProc", Errno.EMFILE, false)]
    [InlineData("OpenProc", Errno.ENFILE, false)]
    [InlineData("OpenProc", Errno.ENOMEM, false)]
    [InlineData("UseProc", Errno.ESRCH, true)]
    [InlineData("ListProcesses", Errno.ENOENT, true)]
    [InlineData("ListSockets", Errno.ENOENT, false)]
    public void WithoutAProc(string operation, int errno, bool goesOn)
    {
        FakeTcp session = Add();
        ConnectionList candidates = _host.Candidates(session);
        _sink = new RecordingSink(candidates);
        var filter = new OwnSessionFilter(new SocketDump(), () => throw new SystemCallException(Enum.Parse<Operation>(operation), errno));
        void Apply() => filter.Apply(candidates, _sink, static () => false);
        if (goesOn)
        {
            Apply();
            Assert.Contains("SSH_CONNECTION alone", Assert.Single(_sink.Notices), StringComparison.Ordinal);
        }
        else
        {
            Assert.Equal(errno, Assert.Throws<SystemCallException>(Apply).Errno);
        }
    }

    [Fact]
    public void WithoutCandidatesNothingIsLookedAt()
    {
        var empty = new ConnectionList();
        empty.Begin(_host.Network);
        new OwnSessionFilter(new SocketDump(), _host.OpenProcesses).Apply(empty, _sink, static () => false);
        Assert.Empty(_host.Faults.Calls);
    }

    private static DumpedSocket OtherEndOf(FakeTcp socket, FakeTcp own) => socket.Dumped with
    {
        Source = own.Dumped.Destination,
        SourcePort = own.Dumped.DestinationPort,
        Destination = own.Dumped.Source,
        DestinationPort = own.Dumped.SourcePort,
    };

    /// <summary>Process 1, the login daemon, a shell, and this process.</summary>
    private void Ancestry(FakeProcess login, bool isFiltered = false, int terminal = 0)
    {
        _host.Add(new FakeProcess(1) { Uid = 0 });
        _host.Add(login);
        _host.Add(new FakeProcess(Shell) { Parent = Login, Terminal = terminal });
        _host.Add(new FakeProcess(_host.Self) { Parent = Shell, Terminal = terminal, IsFiltered = isFiltered });
    }

    private FakeProcess Process(int pid) => _host.Processes.Find(process => process.Pid == pid)!;

    private FakeTcp Add(params FakeProcess[] holders) =>
        _host.Add(new FakeTcp(new DumpedSocket { Inode = _next++, Cookie = _next, DestinationPort = (ushort)_next, Uid = 0 }), holders);

    private string[] Filter(params FakeTcp[] sockets)
    {
        ConnectionList candidates = _host.Candidates(sockets);
        _sink = new RecordingSink(candidates);
        new OwnSessionFilter(new SocketDump(), _host.OpenProcesses).Apply(candidates, _sink, static () => false);
        Assert.Equal(0, _host.AllLeftOpen);
        return [.. Enumerable.Range(0, candidates.Count).Select(i => candidates[i].Outcome.ToString())];
    }
}
