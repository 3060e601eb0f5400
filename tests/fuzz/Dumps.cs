namespace TcpCloser.Fuzz;

/// <summary>Dumps of sockets, from the datagrams to the candidates.</summary>
internal sealed class Dumps : ITarget
{
    private static readonly Query[] s_queries =
    [
        new("-s", "22"),
        new("-46", "-s", "1-65535", "--state", "all"),
        new("-6", "--dst", "fe80::/10,fd00::/8", "--state", "connected", "-t", "1s"),
        new("-4", "-d", "1024-65535", "--not-src", "10.0.0.8/29", "--state", "time-wait,close-wait,established", "--idle-by", "both", "-t", "2ms"),
        new("-46", "--mark", "7/0xff", "--state", "synchronized", "--no-ack-for", "3s"),
        new("--uid", "0,1000,3503345363", "--state", "bucket,big,listen"),
    ];

    public string Name => "dumps";

    public bool Try(Dice dice)
    {
        Query query = dice.Pick(s_queries);
        byte[][] seed = dice.Pick(Seeds.Dumps);
        var given = new DamagedAnswers(dice);

        // A failed dump starts again, with new answers.
        var kernel = new FakeKernel((_, _) => given.Of(seed)) { SendErrno = _ => dice.OneIn(64) ? 1 + dice.Below(100) : 0 };
        var collector = new Collector(new IdleRule(query.Rule), keepLeftAlone: true, DetailLevel.TcpInfo);
        bool isAccepted = true;
        try
        {
            _ = query.Dump.Run(new FakeNamespace(kernel), RuleContext.Empty, collector);
        }
        catch (SystemCallException e)
        {
            Check.IsErrno(e.Failure.Errno);
            Check.That(kernel.Sent.Count > 0 && collector.Matched == 0, "entries of a failed dump remain");
            isAccepted = false;
        }

        Check.That(kernel.LeftOpen == 0, "a socket was not closed");
        Check.That(collector.Matched == collector.Candidates.Count + collector.LeftAlone.Count, "a match is neither a candidate nor skipped");
        CheckList(collector.Candidates, query.Selection, given);
        CheckList(collector.LeftAlone, query.Selection, given);
        for (int i = 0; i < collector.Candidates.Count; i++)
        {
            Check.That(collector.Candidates[i].Outcome == Outcome.Pending, "a candidate that is not idle");
            Check.That(query.Rule.IdleTime == TimeSpan.Zero || collector.Candidates[i].IdleMs is not Connection.UnknownAge, "idle without a clock");
        }

        return isAccepted && collector.Matched > 0;
    }

    private static void CheckList(ConnectionList list, Selection selection, DamagedAnswers given)
    {
        for (int i = 0; i < list.Count; i++)
        {
            ref Connection connection = ref list[i];
            GivenSocket.Check(in connection, given);
            Check.That((selection.States >> connection.State & 1) != 0, $"state {connection.State} was not requested");
            Check.That(selection.SourcePorts?.Contains(connection.SourcePort) != false, $"source port {connection.SourcePort} was not requested");
            Check.That(selection.Families.HasFlag(connection.Family == Socket.AF_INET ? Families.IPv4 : Families.IPv6)
                || (connection.IsIPv4 && selection.Families.HasFlag(Families.IPv4)), "a family that was not requested");
        }
    }

    /// <summary>The dump of a command line. Its buffer is reused, as in a service.</summary>
    private sealed class Query(params string[] words)
    {
        public Rule Rule { get; } = Words.Rule(words);
        public Selection Selection { get; } = Words.Select(words);
        public SelectionDump Dump { get; } = new(Words.Select(words), new SocketDump());
    }
}
