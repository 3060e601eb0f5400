using TcpCloser.Diag;
using TcpCloser.Interop;
using TcpCloser.Kill;
using TcpCloser.Report;
using TcpCloser.Tests.Support;
using Netlink = TcpCloser.Tests.Support.Netlink;

namespace TcpCloser.Tests.Report;

/// <summary>The line of every outcome, of every hindrance, and the summary.</summary>
public sealed class LogLineTests
{
    [Fact]
    public void EveryOutcome() => Snap.Match(LogText.Of(static log =>
    {
        ConnectionList connections = Outcomes();
        var report = new RoundReport(log, verbose: false, records: null);
        report.Settled(connections, 0, connections.Count);
        report.WriteSummary();
    }));

    [Fact]
    public void EveryOutcomeIsCounted()
    {
        Counts? counts = null;
        LogText.Of(log =>
        {
            ConnectionList connections = Outcomes();
            var report = new RoundReport(log, verbose: false, records: null);
            report.Settled(connections, 0, connections.Count);
            counts = report.Counts;
        });
        Assert.Equal((3, 1, 4, 1), (counts!.Closed, counts.Vanished, counts.Failed, counts.NotReached));
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
        connections[4].State = 99;
        var report = new RoundReport(log, verbose: false, records: null);
        for (int i = 0; i < connections.Count; i++)
        {
            connections[i].Outcome = Outcome.Destroyed;
        }

        report.Settled(connections, 0, connections.Count);
    }));

    [Fact]
    public void VerboseTellsWhatWasLeftAloneAndWhy() => Snap.Match(LogText.Of(static log =>
    {
        DumpedSocket[] sockets =
        [
            new() { LastDataRecv = 100 }, new() { LastDataRecv = 60 }, new() { LastDataRecv = 59 }, new() { LastDataRecv = 1000 },
            new() { InfoLength = 0 }, new() { State = 2 }, new() { LastDataRecv = 60, InfoLength = 104 },
        ];
        string[] words = ["-s", "22", "--state", "established,syn-sent", "-t", "60", "--last-recv-limit", "1s"];
        Census census = Listing.Census(words, keep: true);
        var kernel = FakeKernel.Answering(Answer.Of([.. sockets.Select(static socket => socket.Message(18)), Netlink.DoneMessage()]));
        byte[] bytecode = Listing.Run(kernel, census, words);
        var report = new RoundReport(log, verbose: true, records: null);
        report.Filter(bytecode, interrupted: true);
        report.Counts.Matched = census.Matched;
        report.LeftAlone(census.LeftAlone);
        for (int i = 0; i < census.Doomed.Count; i++)
        {
            census.Doomed[i].Outcome = Outcome.Destroyed;
        }

        report.Settled(census.Doomed, 0, census.Doomed.Count);
        report.WriteSummary();
    }));

    [Fact]
    public void WithoutVerboseNothingLeftAloneIsTold() => Assert.Empty(LogText.Of(static log =>
    {
        var kernel = FakeKernel.Answering(Answer.Of(new DumpedSocket { LastDataRecv = 5 }.Message(18), Netlink.DoneMessage()));
        Census census = Listing.Census(kernel, keep: true, "-s", "22", "-t", "60");
        Assert.Equal(1, census.LeftAlone.Count);
        new RoundReport(log, verbose: false, records: null).LeftAlone(census.LeftAlone);
    }));

    [Theory]
    [InlineData(Errno.EPERM)]
    [InlineData(Errno.EOPNOTSUPP)]
    [InlineData(Errno.EINVAL)]
    [InlineData(Errno.ENOBUFS)]
    public void ARefusedDestroyWithItsRemedy(int errno) => Snap.Match(LogText.Of(log =>
    {
        var kernel = new FakeKernel((sent, _) => DestroyRequest.In(sent).Select(request =>
            Answer.Of(Netlink.ErrorMessage(errno, request.Sequence))))
        { SendErrno = _ => errno == Errno.ENOBUFS ? errno : 0 };
        var report = new RoundReport(log, verbose: false, records: null);
        new SockDestroyer(ladder: false).Close(Connections.Many(2, kernel), report, static () => false);
        Assert.Equal(errno != Errno.ENOBUFS, report.Hopeless);
        report.WriteSummary();
    }), Errno.Describe(errno)[..Errno.Describe(errno).IndexOf(' ')]);

    [Theory]
    [InlineData(Errno.ENOENT, true)]
    [InlineData(Errno.EOPNOTSUPP, true)]
    [InlineData(Errno.EPERM, true)]
    [InlineData(Errno.ENOMEM, false)]
    public void ADumpThatIsRefused(int errno, bool hopeless) => Snap.Match(LogText.Of(log =>
    {
        var report = new RoundReport(log, verbose: false, records: null);
        report.Broke(new SystemCallException(SocketDump.Operation, errno), new ConnectionList());
        Assert.Equal(hopeless, report.Hopeless);
        Assert.True(report.Incomplete);
        report.WriteSummary();
    }), Errno.Describe(errno)[..Errno.Describe(errno).IndexOf(' ')]);

    [Fact]
    public void KillingAndBreakingOff() => Snap.Match(LogText.Of(static log =>
    {
        var report = new RoundReport(log, verbose: false, records: null);
        report.Signalled(new SocketHolder(4711) { Comm = "sshd"u8.ToArray() }, 9);
        var forger = new SocketHolder(4712) { Comm = [.. "a\n2026 \u001b"u8, 0xff] };
        forger.Sockets.Add(new HeldSocket(3, 5));
        report.Signalled(forger, 15);
        report.Signalled(forger, 40);
        report.Hindered("something is missing", hopeless: false);
        ConnectionList connections = Connections.Many(1);
        connections[0].Outcome = Outcome.NotReached;
        report.Settled(connections, 0, 1);
        report.BrokenOff(15);
        report.BrokenOff(0);
    }));

    /// <summary>The dump broke in its middle, before anything was told of what it had listed so far.</summary>
    [Fact]
    public void ADumpThatBreaksInItsMiddle()
    {
        foreach (bool verbose in new[] { false, true })
        {
            string lines = LogText.Of(log =>
            {
                string[] words = ["-s", "22"];
                Census census = Listing.Census(words, verbose);
                var kernel = FakeKernel.Answering(Answer.Of(new DumpedSocket().Message(18)), Answer.Failing(Errno.ENOBUFS));
                var e = Assert.Throws<SystemCallException>(() => Listing.Run(kernel, census, words));
                var report = new RoundReport(log, verbose, records: null);
                report.Broke(e, census.Doomed);
                Assert.Equal(0, report.Counts.Closed);
            });
            Assert.Contains("ENOBUFS", lines, StringComparison.Ordinal);
        }
    }

    private static ConnectionList Outcomes()
    {
        ConnectionList connections = Connections.List(null);
        foreach (Outcome outcome in Enum.GetValues<Outcome>())
        {
            Connection connection = Connections.Of("10.0.0.1:22 10.0.0.2:51422");
            connection.Outcome = outcome;
            connection.FailedErrno = outcome == Outcome.Failed ? (byte)Errno.EPERM : (byte)0;
            connections.Add(in connection);
        }

        return connections;
    }
}
