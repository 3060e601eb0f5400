using TcpCloser.Diag;
using TcpCloser.Interop;
using TcpCloser.Proc;
using TcpCloser.Report;
using TcpCloser.Tests.Support;
using Netlink = TcpCloser.Tests.Support.Netlink;

namespace TcpCloser.Tests.Report;

/// <summary>The line of every outcome, of every problem, and the summary.</summary>
public sealed class LogLineTests
{
    [Fact]
    public void EveryOutcome() => Snap.Match(LogText.Of(static log => Tell(log, Outcomes())));

    [Fact]
    public void EveryOutcomeIsCounted()
    {
        var counts = new Counts();
        ConnectionList connections = Outcomes();
        for (int i = 0; i < connections.Count; i++)
        {
            counts.Count(connections[i].Outcome);
        }

        Assert.Equal((4, 1, 1, 1, 7, 1), (counts.Closed, counts.Cured, counts.Vanished, counts.Spared, counts.Failed, counts.WouldClose));
        Assert.Equal((1, 1), (counts.NotReached, counts.Unknown)); // of those that failed
        Assert.Equal(15, counts.Idle);
        Assert.True(counts.IsNews);
    }

    [Fact]
    public void Ends() => Snap.Match(LogText.Of(static log =>
    {
        ConnectionList connections = Connections.List(
            null, Connections.Of("10.0.0.1:22 10.0.0.2:51422"), Connections.Of("::ffff:10.0.0.1:22 ::ffff:10.0.0.2:65535"),
            Connections.Of("2001:db8::1:22 2001:db8::2:1"), Connections.Of("fe80::1:22 fe80::2:1"), Connections.Of("fe80::1:22 2001:db8::2:1"));
        connections[3].Interface = 1; // the loopback device, whose name is the same everywhere
        connections[4].Interface = 4_000_000; // a device that is gone
        connections[4].IdleMs = Connection.UnknownAge;
        connections[4].State = 15; // none that there is
        for (int i = 0; i < connections.Count; i++)
        {
            connections[i].Outcome = Outcome.Destroyed;
        }

        Tell(log, connections);
    }));

    [Fact]
    public void VerboseTellsWhatWasLeftAloneAndWhy()
    {
        DumpedSocket[] sockets =
        [
            new() { LastDataRecv = 100 }, new() { LastDataRecv = 60 }, new() { LastDataRecv = 59 }, new() { LastDataRecv = 1000 },
            new() { InfoLength = 0 }, new() { State = 2 }, new() { LastDataRecv = 60, InfoLength = 104 },
        ];
        byte[] interrupted = Netlink.Message(1, [], flags: 0x12);
        var kernel = new FakeKernel((sent, _) => DestroyRequest.IsDestroy(sent) ? []
            : [Answer.Of([interrupted, .. sockets.Select(static socket => socket.Message(18)), Netlink.DoneMessage()])]);
        Snap.Match(Rounds.Log(kernel, out _, "-s", "22", "--state", "established,syn-sent", "-t", "60", "--last-recv-limit", "1s", "-v",
            "--include-own-session"));
    }

    [Fact]
    public void WithoutVerboseNothingLeftAloneIsTold() => Assert.Empty(LogText.Of(static log =>
    {
        var kernel = FakeKernel.Answering(Answer.Of(new DumpedSocket { LastDataRecv = 5 }.Message(18), Netlink.DoneMessage()));
        Collector collector = Listing.Collector(kernel, keep: true, "-s", "22", "-t", "60");
        Assert.Equal(1, collector.LeftAlone.Count);
        Tell(log, collector.LeftAlone);
    }));

    [Theory]
    [InlineData(Errno.EPERM)]
    [InlineData(Errno.EOPNOTSUPP)]
    [InlineData(Errno.EINVAL)]
    [InlineData(Errno.ENOBUFS)]
    public void ARefusedDestroyWithItsRemedy(int errno)
    {
        byte[][] sockets = [new DumpedSocket { DestinationPort = 1 }.Message(18), new DumpedSocket { DestinationPort = 2, Cookie = 5 }.Message(18)];
        var kernel = new FakeKernel((sent, _) => DestroyRequest.IsDestroy(sent)
            ? DestroyRequest.In(sent).Select(request => Answer.Of(Netlink.ErrorMessage(errno, request.Sequence)))
            : [Answer.Of([.. sockets, Netlink.DoneMessage()])])
        { SendErrno = number => number > 0 && errno == Errno.ENOBUFS ? errno : 0 };

        string lines = Rounds.Log(kernel, out ExitStatus status, "-s", "22", "--method", "destroy", "--include-own-session");

        Assert.Equal(errno == Errno.ENOBUFS ? ExitStatus.Incomplete : ExitStatus.NotPossible, status);
        bool isPrivileged = errno == Errno.EPERM && Capability.IsEffective(Capability.CAP_NET_ADMIN); // then it is no use to be root
        Snap.Match(lines, Name(errno) + (isPrivileged ? "_privileged" : ""));
    }

    [Theory]
    [InlineData(Errno.ENOENT, (int)ExitStatus.NotPossible)]
    [InlineData(Errno.EOPNOTSUPP, (int)ExitStatus.NotPossible)]
    [InlineData(Errno.EPERM, (int)ExitStatus.NotPossible)]
    [InlineData(Errno.ENOMEM, (int)ExitStatus.Incomplete)]
    public void ADumpThatIsRefused(int errno, int expected)
    {
        string lines = Rounds.Log(FakeKernel.Answering(Answer.Of(Netlink.ErrorMessage(errno))), out ExitStatus status, "-s", "22");
        Assert.Equal(expected, (int)status);
        Snap.Match(lines, Name(errno));
    }

    [Fact]
    public void KillingAndInterrupting() => Snap.Match(LogText.Of(static log =>
    {
        var observer = new LogObserver(log, isService: false);
        observer.Signalled(new SocketHolder(4711) { Comm = "sshd"u8.ToArray() }, 9);
        var forger = new SocketHolder(4712) { Comm = [.. "a\n2026 \u001b"u8, 0xff] };
        forger.Sockets.Add(new HeldSocket(3, 5));
        observer.Signalled(forger, 15);
        observer.Signalled(forger, 40);
        observer.Message(Level.Error, "something is missing");
        observer.Message(Level.Debug, "not told");
        ConnectionList connections = Connections.Many(1);
        connections[0].Outcome = Outcome.NotReached;
        observer.Completed(connections, 0);
    }));

    [Fact]
    public void AnInterruptedRound()
    {
        byte[][] sockets = [.. Enumerable.Range(1, 257).Select(i => new DumpedSocket { DestinationPort = (ushort)i, Cookie = (ulong)i }.Message(18))];
        var kernel = new FakeKernel((sent, _) => DestroyRequest.IsDestroy(sent) ? [] : [Answer.Of([.. sockets, Netlink.DoneMessage()])]);
        string lines = LogText.Of(log =>
        {
            var stop = new FakeStop(() => kernel.Sent.Any(DestroyRequest.IsDestroy));
            var machine = new Machine(new FakeNamespace(kernel), new FakeHost().OpenProcesses);
            Round round = Rounds.Make(machine, [new LogObserver(log, isService: false)], stop, "-s", "22", "--include-own-session");
            Assert.Equal(ExitStatus.Incomplete, round.Run());
        });

        string[] last = lines.Split('\n')[^4..];
        Assert.StartsWith("TIME error not reached 10.0.0.1:22 -> 10.0.0.2:257 ", last[0], StringComparison.Ordinal);
        Assert.Equal("TIME warning interrupted by SIGTERM: 1 idle connections were not reached", last[1]);
        Assert.Equal("TIME info summary matched=257 idle=257 closed=256 vanished=0 spared=0 failed=1 time=Nms", last[2]);
    }

    /// <summary>The dump failed in its middle, before anything was told of what it had listed so far.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void ADumpThatFailsInItsMiddle(bool verbose)
    {
        var kernel = FakeKernel.Answering(Answer.Of(new DumpedSocket().Message(18)), Answer.Failing(Errno.ENOBUFS));
        string lines = Rounds.Log(kernel, out ExitStatus status, verbose ? ["-s", "22", "-v"] : ["-s", "22"]);
        Assert.Equal(ExitStatus.Incomplete, status);
        Assert.Contains("ENOBUFS", lines, StringComparison.Ordinal);
        Assert.EndsWith(" summary matched=0 idle=0 closed=0 vanished=0 spared=0 failed=0 time=Nms\n", lines, StringComparison.Ordinal);
    }

    private static string Name(int errno) => Errno.Describe(errno)[..Errno.Describe(errno).IndexOf(' ')];

    private static void Tell(Log log, ConnectionList connections)
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
            connection.Outcome = outcome;
            connection.Errno = outcome == Outcome.Failed ? (ushort)Errno.EPERM : (ushort)0;
            connections.Add(in connection);
        }

        return connections;
    }
}
