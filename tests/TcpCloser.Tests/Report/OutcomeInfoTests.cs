using TcpCloser.Diag;
using TcpCloser.Report;
using TcpCloser.Tests.Support;

namespace TcpCloser.Tests.Report;

/// <summary>As what each outcome counts, at which level it is told, and what it does to the exit status.</summary>
public sealed class OutcomeInfoTests
{
    public static TheoryData<string> Outcomes => [.. Enum.GetNames<Outcome>()];

    [Theory]
    [MemberData(nameof(Outcomes))]
    public void CountsLevelAndStatus(string name)
    {
        var outcome = Enum.Parse<Outcome>(name);
        (Counted counted, Level level) = name switch
        {
            "Destroyed" or "Disconnected" or "Killed" or "Reset" => (Counted.Closed, Level.Info),
            "Cured" => (Counted.Cured, Level.Info),
            "Vanished" => (Counted.Vanished, Level.Info),
            "Spared" => (Counted.Spared, Level.Info),
            "Failed" or "NoOwner" or "OwnerProtected" or "OwnerOther" or "StillThere" or "Unknown" or "NotReached" => (Counted.Failed, Level.Error),
            "Idle" => (Counted.Idle, Level.Info),
            "HasUserTimeout" => (Counted.Matched, Level.Info), // left alone, and always said
            "Busy" or "BeyondLimit" or "NoClock" or "Unproved" or "Answered" or "AddressPresent" or "SubflowBusy" or "HasKeepalive" => (Counted.Matched, Level.Debug),
            _ => throw new InvalidOperationException($"{name} is not in the table"),
        };
        OutcomeInfo info = OutcomeInfo.Of(outcome);
        Assert.Equal((counted, level), (info.Counted, info.Level));

        var status = new RoundStatus();
        status.Counts.Count(outcome);
        Assert.Equal(counted == Counted.Failed ? ExitStatus.Incomplete : ExitStatus.Done, status.Of(Words.Run("-s22")));
        Assert.Equal(counted == Counted.Matched ? 0 : 1, status.Counts.Idle);
        status.IsNotPossible = true;
        bool isDone = counted is Counted.Closed or Counted.Cured || outcome == Outcome.Unknown;
        Assert.Equal(isDone, status.Of(Words.Run("-s22")) != ExitStatus.NotPossible);
    }

    [Fact]
    public void NoTwoHaveOneName()
    {
        Outcome[] outcomes = Enum.GetValues<Outcome>();
        Assert.Distinct(outcomes.Select(static outcome => System.Text.Encoding.UTF8.GetString(OutcomeInfo.Of(outcome).Name)));
    }
}
