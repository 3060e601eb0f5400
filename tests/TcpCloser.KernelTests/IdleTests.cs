using System.Globalization;

namespace TcpCloser.KernelTests;

/// <summary>Idle and busy connections side by side: those that have been idle for the given time are closed, in the given direction.</summary>
public sealed partial class IdleTests
{
    /// <summary>Busy connections exchange data every 10 ms; a loaded machine may delay that considerably.</summary>
    private const int IdleMs = 500;

    [Fact]
    public void LastRecvLimit_IdleBeyondTheLimit_IsSkipped()
    {
        using var lab = LabProcess.Start("--count", "10", "--busy", "5");
        lab.WaitIdle(5, IdleMs);
        lab.Tool("-s", $"{LabProcess.Port}", "--last-recv-limit", $"{IdleMs}ms").Expect(0, "matched=10 closed=5");
        Assert.All(lab.List(), connection => Assert.Equal(connection.Index < 5 ? "alive" : "aborted", connection.Server.View));
    }

    [Fact]
    public void IdleTime_NotGiven_ClosesBusyConnectionsAsWell()
    {
        using var lab = LabProcess.Start("--count", "10", "--busy", "5");
        lab.Tool("-s", $"{LabProcess.Port}").Expect(0);
        lab.WaitEnded(10);
        Assert.DoesNotContain(lab.Sockets(), socket => socket.LocalPort == LabProcess.Port && socket.State == "established");
    }

    [Fact]
    public void IdleTime_NewConnectionWithoutData_CountsFromItsStart()
    {
        using var lab = LabProcess.Start("--count", "2");
        lab.Tool("-s", $"{LabProcess.Port}", "-t", "10m").Expect(0);
        lab.ExpectState("server alive=2");
    }

    [Theory]
    // who sends, --idle-by, whether the server's ends of busy connections are idle, whether the clients' are
    [Rows("server | recv | true | false", "server | send | false | true", "server | both | false | false", "client | recv | false | true",
        "client | send | true | false", "client | both | false | false", "both | recv | false | false", "both | send | false | false")]
    public void IdleBy_EachDirection_CountsOnlyThatDirection(string talker, string by, bool serverIsIdle, bool clientIsIdle)
    {
        using var lab = LabProcess.Start("--count", "6", "--busy", "3", "--talker", talker);
        AwaitAges(lab);

        foreach (var (option, idle) in new[] { ("-s", serverIsIdle), ("-d", clientIsIdle) })
        {
            lab.Tool("-n", option, LabProcess.PortText, "-t", $"{IdleMs}", "--idle-by", by).Expect(0, $"idle={(idle ? 6 : 3)}");
            // --last-recv-limit uses the same clock: it selects the connections that -t does not.
            lab.Tool("-n", option, LabProcess.PortText, "--last-recv-limit", $"{IdleMs}", "--idle-by", by).Expect(0, $"idle={(idle ? 0 : 3)}");
        }
    }

    /// <summary>
    /// Waits until the three quiet connections are idle in both directions at both ends, and each busy one in the direction that
    /// is silent.
    /// </summary>
    private static void AwaitAges(LabProcess lab)
        => Until.True(
            () => Ages(lab, "lastsnd").Count(age => age >= 2 * IdleMs) >= 6 && Ages(lab, "lastrcv").Count(age => age >= 2 * IdleMs) >= 6, "quiet connections");

    private static int[] Ages(LabProcess lab, string clock) =>
    [
        .. Clock().Matches(Command.Run([.. lab.Inside(), "ss", "-tinOH", "state", "established"]).Stdout)
            .Where(match => match.Groups[1].Value == clock)
            .Select(match => int.Parse(match.Groups[2].ValueSpan, CultureInfo.InvariantCulture)),
    ];

    [GeneratedRegex(@"(last[a-z]+):(\d+)")]
    private static partial Regex Clock();
}
