namespace TcpCloser.Tests.Diag;

/// <summary>Dumps that were recorded on a real kernel.</summary>
public sealed class RecordedDumpTests
{
    [Theory]
    [Values("recorded-legacy", "recorded-inet6")]
    public void Recording_WholeDump_HasEveryConnection(string name)
    {
        var recording = new Recording(name);
        var sink = new RecordingDumpSink();
        Assert.Equal(0, Listing.Run(Kernel(recording.Datagrams), sink, "-46", "-s", "22"));
        Assert.Equal(recording.Connections, Known(sink, recording));
        Assert.Equal(recording.Connections.Length, sink.Sockets.Count);
        Assert.All(sink.Infos, static info => Assert.Equal(280, info.Length));
    }

    [Theory]
    [InlineData("-4", 2 * 5 + 2 * 3)] // the connections to the dual-stack listener have one end on an IPv6 socket
    [InlineData("-6", 2 * 4 + 3)]
    [InlineData("-46", 2 * 5 + 2 * 3 + 2 * 4)]
    public void Recording_FamilySelected_MatchesItsConnections(string family, int count)
    {
        Collector collector = Listing.Collector(Kernel(new Recording("recorded-legacy").Datagrams), keep: false, family, "-s", "1-65535", "--state", "all");
        Assert.Equal(count, collector.Matched);
        Assert.Equal(count, collector.Candidates.Count);
        for (int i = 0; i < count; i++)
        {
            Assert.InRange(collector.Candidates[i].IdleMs, 0u, 10_000u);
            Assert.NotEqual(0UL, collector.Candidates[i].Cookie);
        }
    }

    [Fact]
    public void Recording_DetailsKept_HasThemForEachConnection()
    {
        Collector collector = Listing.Collector(Kernel(new Recording("recorded-inet6").Datagrams), keep: true, "-6", "-s", "1-65535", "--state", "all");
        Assert.Equal(collector.Candidates.Count, collector.Candidates.Details.Count);
        Assert.All(collector.Candidates.Details, static detail =>
        {
            Assert.InRange(detail.RttMicroseconds, 1u, 100_000u);
            Assert.InRange(detail.SendWindow, 1_000u, 1_000_000u);
            Assert.Equal((0u, 0u), (detail.ReceiveQueue, detail.SendQueue));
        });
    }

    /// <summary>What was listed, in the form of the recording: without the uid, and without the cookie, which only the kernel knew.</summary>
    private static string[] Known(RecordingDumpSink sink, Recording recording)
    {
        Assert.Equal(recording.Connections.Length, sink.Sockets.Select(static socket => socket.Split(' ')[4]).Distinct().Count());
        return [.. sink.Sockets.Select(static socket => socket.Split(' ')).Select(static words => $"{words[0]} {words[1]} {words[2]} {words[3]} {words[5]}")
            .Order(StringComparer.Ordinal)];
    }

    private static FakeKernel Kernel(List<byte[]> datagrams) =>
        FakeKernel.Answering([.. datagrams.Select(static datagram => new Answer(datagram)), Answer.Of(Netlink.DoneMessage())]);
}
