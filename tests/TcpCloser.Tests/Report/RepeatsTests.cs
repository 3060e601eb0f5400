using System.Text.RegularExpressions;

namespace TcpCloser.Tests.Report;

/// <summary>A service counts a message of the round before instead of logging it again.</summary>
public sealed class RepeatsTests
{
    [Fact]
    public void Service_SameFailureEachRound_IsLoggedOnceUntilItChanges()
    {
        ConnectionList connections = Connections.Many(2);
        connections[0].Outcome = Outcome.NoOwner;
        connections[1].Outcome = Outcome.Spared;
        string[] lines = Rounds(isService: true, (observer, round) =>
        {
            connections[0].Outcome = round == 3 ? Outcome.StillThere : Outcome.NoOwner;
            observer.Message(Level.Error, "the same");
            observer.Completed(connections, 0);
            observer.Completed(connections, 1);
            return 2;
        });

        AssertCount(1, " the same$", lines);
        AssertCount(1, " spared ", lines);
        AssertCount(3, " failed 10", lines); // no owner, still there, no owner again
        AssertCount(3, " summary ", lines); // of the rounds with news
        Assert.EndsWith(" repeated=10", lines[^1], StringComparison.Ordinal);
    }

    /// <summary>Two network namespaces may have the same problem.</summary>
    [Fact]
    public void Service_SameMessageTwiceInARound_IsLoggedOnceAndCounted()
    {
        string[] lines = Rounds(isService: true, (observer, round) =>
        {
            observer.Message(Level.Error, "the same");
            observer.Message(Level.Error, "the same");
            observer.Message(Level.Error, round == 3 ? "another" : "the same");
            return 0;
        });
        AssertCount(1, " the same$", lines);
        AssertCount(1, " another$", lines);
        Assert.EndsWith(" repeated=13", lines[^1], StringComparison.Ordinal);
    }

    [Fact]
    public void Service_ClosedConnectionEachRound_IsAlwaysLogged()
    {
        ConnectionList connections = Connections.Many(1);
        connections[0].Outcome = Outcome.Destroyed;
        string[] lines = Rounds(isService: true, (observer, _) =>
        {
            observer.Completed(connections, 0);
            return 1;
        });
        AssertCount(5, " destroyed ", lines);
        AssertCount(5, " summary ", lines);
    }

    [Fact]
    public void SingleRun_SameMessageAgain_IsLoggedAgain() => AssertCount(5, " the same$", Rounds(isService: false, static (observer, _) =>
    {
        observer.Message(Level.Warning, "the same");
        return 0;
    }));

    private static void AssertCount(int count, string pattern, string[] lines) =>
        Assert.Equal(count, lines.Count(line => Regex.IsMatch(line, pattern)));

    private static string[] Rounds(bool isService, Func<LogObserver, int, int> round) => LogText.Of(log =>
    {
        var observer = new LogObserver(log, isService);
        var totals = new Counts();
        for (int i = 1; i <= 5; i++)
        {
            observer.Begin(Contexts.Of(new RecordingSink(new ConnectionList())));
            totals.Matched += round(observer, i);
            observer.End(ExitStatus.Done, totals, TimeSpan.Zero, isQuiet: false);
        }

        observer.Totals(totals, 5, TimeSpan.Zero);
    }).TrimEnd('\n').Split('\n');
}
