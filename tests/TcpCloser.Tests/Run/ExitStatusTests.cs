using TcpCloser.Run;

namespace TcpCloser.Tests.Run;

/// <summary>The exit status, on which scripts rely, and its name, on which queries rely.</summary>
public sealed class ExitStatusTests
{
    [Fact]
    public void ExitStatus_EachValue_HasItsNumberAndName() => Assert.Equal(
        [(0, "done"), (1, "incomplete"), (2, "usage"), (3, "not_possible"), (4, "refused")],
        Enum.GetValues<ExitStatus>().Select(static status => ((int)status, ExitStatusName.Of(status))));

    /// <summary>An interrupted group run counts peers without a verdict as unproved; with all verdicts, nothing was interrupted.</summary>
    [Theory]
    [InlineData("--probe", "3s")]
    [InlineData]
    public void GroupRun_SignalAtAnyCheck_IsInterruptedOnlyWhileVerdictsAreMissing(params string[] words)
    {
        (_, _, int checks) = RunGroups(words, stopAt: int.MaxValue);
        for (int stopAt = 1; stopAt <= checks; stopAt++)
        {
            (ExitStatus status, Counts counts, _) = RunGroups(words, stopAt);
            bool isInterrupted = counts.Unproved > 0;
            Assert.Equal(isInterrupted ? ExitStatus.Incomplete : ExitStatus.Done, status);
            Assert.Equal(words.Length > 0 && stopAt == 1, isInterrupted && stopAt == 1);
            Assert.Equal(isInterrupted ? 0 : 2, counts.WouldClose);
        }

        Assert.Equal((ExitStatus.Done, 0), (RunGroups(words, checks).Status, RunGroups(words, checks).Counts.Unproved));
    }

    private static (ExitStatus Status, Counts Counts, int Checks) RunGroups(string[] words, int stopAt)
    {
        var host = new FakeHost();
        FakeProcess worker = host.Add(new FakeProcess(200));
        for (uint i = 0; i < 2; i++)
        {
            var socket = new DumpedSocket { SourcePort = 22, DestinationPort = (ushort)(30_000 + i), Cookie = 1 + i, Inode = 1_001 + i, Rto = 4_000 };
            host.Add(new FakeTcp(socket) { Peer = new FakePeer(FakeAnswer.Nothing, quietMs: 60_000) }, worker);
        }

        int checks = 0;
        var stop = new FakeStop(() => ++checks >= stopAt);
        Round round = Rounds.Make(host.Machine, [], stop, ["--group-by", "port", "-46", "-s", "22", .. words]);
        return (round.Run(), round.Counts, checks);
    }
}
