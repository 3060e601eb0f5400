using TcpCloser.Run;

namespace TcpCloser.Tests.Report;

/// <summary>The log lines of outcomes and problems, and the summary.</summary>
public sealed class LogLineTests
{
    private static readonly string[] s_words = ["-s", "22", "--include-own-session"];

    [Fact]
    public void Line_EachOutcome_MatchesSnapshot() => Snap.Match(LogText.Of(static log => LogEach(log, Outcomes())));

    [Fact]
    public void Counts_EachOutcomeOnce_AddUp()
    {
        var counts = new Counts();
        Array.ForEach(Enum.GetValues<Outcome>(), counts.Count);
        Assert.Equal((4, 1, 1, 1, 10, 1), (counts.Closed, counts.Cured, counts.Vanished, counts.Spared, counts.Failed, counts.WouldClose));
        Assert.Equal((1, 1), (counts.NotReached, counts.Unknown)); // among the failed ones
        Assert.Equal(18, counts.Idle);
        Assert.True(counts.IsNews);
    }

    [Fact]
    public void Line_EachKindOfEndpoint_MatchesSnapshot() => Snap.Match(LogText.Of(static log =>
    {
        ConnectionList connections = Connections.List(
            null, Connections.Of("10.0.0.1:22 10.0.0.2:51422"), Connections.Of("::ffff:10.0.0.1:22 ::ffff:10.0.0.2:65535"),
            Connections.Of("2001:db8::1:22 2001:db8::2:1"), Connections.Of("fe80::1:22 fe80::2:1"), Connections.Of("fe80::1:22 2001:db8::2:1"));
        connections[3].Interface = 1; // the loopback interface, whose name is the same everywhere
        connections[4].Interface = 4_000_000; // an interface that is gone
        connections[4].IdleMs = Connection.UnknownAge;
        connections[4].State = 15; // an unknown state
        for (int i = 0; i < connections.Count; i++)
        {
            connections[i].Outcome = Outcome.Destroyed;
        }

        LogEach(log, connections);
    }));

    [Fact]
    public void Verbose_SkippedConnections_AreLoggedWithReasons()
    {
        DumpedSocket[] sockets =
        [
            new() { LastDataRecv = 100 }, new() { LastDataRecv = 60 }, new() { LastDataRecv = 59 }, new() { LastDataRecv = 1000 },
            new() { InfoLength = 0 }, new() { State = 2 }, new() { LastDataRecv = 60, InfoLength = 104 },
        ];
        FakeKernel kernel = Destroying([.. sockets.Select(static (socket, i) => socket with { Cookie = (ulong)i + 1 })]);
        Snap.Match(Rounds.Log(kernel, out _, [.. s_words, "--state", "established,syn-sent", "-t", "60", "--last-recv-limit", "1s", "-v"]));
    }

    [Fact]
    public void Line_SkippedWithoutVerbose_IsNotLogged() => Assert.Empty(LogText.Of(static log =>
    {
        var kernel = FakeKernel.Answering(Answer.Of(new DumpedSocket { LastDataRecv = 5 }.Message(18), Netlink.DoneMessage()));
        Collector collector = Listing.Collector(kernel, keep: true, "-s", "22", "-t", "60");
        Assert.Equal(1, collector.LeftAlone.Count);
        LogEach(log, collector.LeftAlone);
    }));

    [Theory]
    [Values(Errno.EPERM, Errno.EOPNOTSUPP, Errno.EINVAL, Errno.ENOBUFS)]
    public void Destroy_Refused_LogsErrnoAndRemedy(int errno)
    {
        byte[][] sockets = [new DumpedSocket { DestinationPort = 1 }.Message(18), new DumpedSocket { DestinationPort = 2, Cookie = 5 }.Message(18)];
        var kernel = new FakeKernel((sent, _) => DestroyRequest.IsDestroy(sent)
            ? DestroyRequest.In(sent).Select(request => Answer.Of(Netlink.ErrorMessage(errno, request.Sequence)))
            : Netlink.IsDump(sent) ? [Answer.Of([.. sockets, Netlink.DoneMessage()])]
            : [Answer.Of(new DumpedSocket { DestinationPort = 1 }.Message(Netlink.Socket))])
        { SendErrno = number => number > 0 && errno == Errno.ENOBUFS ? errno : 0 };

        string lines = Rounds.Log(kernel, out ExitStatus status, [.. s_words, "--method", "destroy"]);

        Assert.Equal(errno == Errno.ENOBUFS ? ExitStatus.Incomplete : ExitStatus.NotPossible, status);
        bool isPrivileged = errno == Errno.EPERM && Capability.IsEffective(Capability.CAP_NET_ADMIN); // then "run as root" would not help
        Snap.Match(lines, Name(errno) + (isPrivileged ? "_privileged" : ""));
    }

    [Theory]
    [Rows("ENOENT | NotPossible", "EOPNOTSUPP | NotPossible", "EPERM | NotPossible", "ENOMEM | Incomplete")]
    public void Dump_Refused_LogsErrnoAndRemedy(int errno, int expected)
    {
        string lines = Rounds.Log(FakeKernel.Answering(Answer.Of(Netlink.ErrorMessage(errno))), out ExitStatus status, "-s", "22");
        Assert.Equal(expected, (int)status);
        Snap.Match(lines, Name(errno));
    }

    [Fact]
    public void Line_SignalMessageAndNotReached_MatchesSnapshot() => Snap.Match(LogText.Of(static log =>
    {
        var observer = new LogObserver(log, isService: false);
        observer.Signalled(new SocketHolder(4711) { Comm = "sshd"u8.ToArray() }, 9);
        var forger = new SocketHolder(4712) { Comm = [.. "a\n2026 \u001b"u8, 0xff] };
        forger.Sockets.Add(new HeldSocket(3, 5, 12));
        observer.Signalled(forger, 15);
        observer.Signalled(forger, 40);
        observer.Message(Level.Error, "something is missing");
        observer.Message(Level.Debug, "not logged");
        ConnectionList connections = Connections.Many(1);
        connections[0].Outcome = Outcome.NotReached;
        observer.Completed(connections, 0);
    }));

    /// <summary>
    /// One line has the number of connections that were not reached; with -v, each also has a line. A signal that arrives when everything
    /// is done interrupts nothing.
    /// </summary>
    [Theory]
    [Rows("256 | false | Done | 0 | null", "257 | false | Incomplete | 0 | 1 idle connection was not reached",
        "500 | false | Incomplete | 0 | 244 idle connections were not reached", "500 | true | Incomplete | 244 | 244 idle connections were not reached")]
    public void Interrupt_AfterTheFirstBatch_LogsTheCountNotReached(int count, bool verbose, int status, int linesOfEach, string? counted)
    {
        FakeKernel kernel = Destroying(
            [.. Enumerable.Range(1, count).Select(i => new DumpedSocket { DestinationPort = (ushort)i, Cookie = (ulong)i })]);
        var machine = new Machine(new FakeNamespace(kernel), new FakeHost().OpenProcesses, FakeHost.NoRoot);
        string[] lines = Interrupted(
            machine, () => kernel.Sent.Any(DestroyRequest.IsDestroy), (ExitStatus)status, verbose ? Level.Debug : Level.Info);

        Assert.Equal(linesOfEach, lines.Count(static line => line.Contains(" not-reached 10.0.0.1", StringComparison.Ordinal)));
        Assert.Equal(
            counted is null ? [] : [$"TIME error interrupted by SIGTERM: {counted}"],
            lines.Where(static line => line.Contains("interrupted", StringComparison.Ordinal)));
        Assert.Equal($"TIME info summary matched={count} idle={count} closed=256 vanished=0 spared=0 failed={count - 256} time=Nms", lines[^2]);
    }

    /// <summary>A kill that is interrupted while it waits for processes logs one error, not one for each of their connections.</summary>
    [Theory]
    [Rows("1 | 1 connection of signalled processes was still open", "3 | 3 connections of signalled processes were still open")]
    public void Interrupt_DuringTheGracePeriod_LogsOneLineWithTheCount(int count, string counted)
    {
        var host = new FakeHost();
        FakeProcess stubborn = host.Add(new FakeProcess(200) { Survives = static _ => true });
        for (uint i = 0; i < count; i++)
        {
            host.Add(new FakeTcp(new DumpedSocket { Inode = 500 + i, Cookie = 900 + i, DestinationPort = (ushort)(1 + i), Uid = 1000 }), stubborn);
        }

        string[] lines = Interrupted(
            host.Machine, () => host.Signals.Count > 0, ExitStatus.Incomplete, Level.Info, "--method", "kill", "--grace", "1h");
        Assert.Equal(
            [$"TIME error interrupted by SIGTERM: {counted}"], lines.Where(static line => line.StartsWith("TIME error ", StringComparison.Ordinal)));
    }

    /// <summary>The dump fails before anything is logged about the connections that it has listed.</summary>
    [Theory]
    [Rows("-s 22", "-s 22 -v")]
    public void Dump_FailsInTheMiddle_LogsAnEmptySummary(params string[] words)
    {
        var kernel = FakeKernel.Answering(Answer.Of(new DumpedSocket().Message(18)), Answer.Failing(Errno.ENOBUFS));
        string lines = Rounds.Log(kernel, out ExitStatus status, words);
        Assert.Equal(ExitStatus.Incomplete, status);
        Assert.Contains("ENOBUFS", lines, StringComparison.Ordinal);
        Assert.EndsWith(" summary matched=0 idle=0 closed=0 vanished=0 spared=0 failed=0 time=Nms\n", lines, StringComparison.Ordinal);
    }

    private static string Name(int errno) => Errno.Describe(errno).Split(' ')[0];

    /// <summary>A kernel that lists these sockets and destroys each.</summary>
    private static FakeKernel Destroying(DumpedSocket[] sockets) => new((sent, _) => DestroyRequest.IsDestroy(sent) ? []
        : [Answer.Of([.. sockets.Select(static socket => socket.Message(18)), Netlink.DoneMessage()])]);

    /// <summary>The lines of a round that a signal interrupts at that time.</summary>
    private static string[] Interrupted(Machine machine, Func<bool> when, ExitStatus status, Level level, params string[] words) => LogText.Of(log =>
    {
        Round round = Rounds.Make(machine, [new LogObserver(log, isService: false)], new FakeStop(when), [.. s_words, .. words]);
        Assert.Equal(status, round.Run());
    }, level).Split('\n');

    private static void LogEach(Log log, ConnectionList connections)
    {
        var observer = new LogObserver(log, isService: false);
        for (int i = 0; i < connections.Count; i++)
        {
            observer.Completed(connections, i);
        }
    }

    private static ConnectionList Outcomes()
    {
        ConnectionList connections = Connections.List(null);
        foreach (Outcome outcome in Enum.GetValues<Outcome>())
        {
            Connection connection = Connections.Of("10.0.0.1:22 10.0.0.2:51422");
            (connection.Outcome, connection.Errno) = (outcome, outcome == Outcome.Failed ? (ushort)Errno.EPERM : (ushort)0);
            connections.Add(in connection);
        }

        return connections;
    }
}
