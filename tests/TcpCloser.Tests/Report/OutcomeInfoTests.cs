using System.Text;
using TcpCloser.Run;

namespace TcpCloser.Tests.Report;

/// <summary>The summary column, the log level and the exit status of each outcome.</summary>
public sealed class OutcomeInfoTests
{
    public static TheoryData<string> Outcomes => [.. Enum.GetNames<Outcome>()];

    [Theory]
    [MemberData(nameof(Outcomes))]
    public void Of_EachOutcome_HasItsColumnLevelAndStatus(string name)
    {
        var outcome = Enum.Parse<Outcome>(name);
        (Counted counted, Level level) = name switch
        {
            "Destroyed" or "Disconnected" or "Killed" or "Reset" => (Counted.Closed, Level.Info),
            "Cured" => (Counted.Cured, Level.Info),
            "Vanished" => (Counted.Vanished, Level.Info),
            "Spared" => (Counted.Spared, Level.Info),
            "Failed" or "NoOwner" or "OwnerUnknown" or "OwnerProtected" or "OwnerOther" or "Mptcp" or "StillThere" or "Unknown" or "NotAwaited" or "NotReached" => (Counted.Failed, Level.Error),
            "Pending" => (Counted.Idle, Level.Info),
            "HasUserTimeout" or "ProbesOutstanding" or "CannotRestore" => (Counted.Matched, Level.Info), // skipped, and always logged
            "Busy" or "BeyondLimit" or "NoClock" or "TooNew" or "Excluded" or "Kept" or "AddressPresent" or "SubflowBusy" or "WindingDown" or "HasKeepalive" => (Counted.Matched, Level.Debug),
            "OverLimit" => (Counted.OverLimit, Level.Debug),
            "Answered" => (Counted.Answered, Level.Debug),
            "Unproved" or "UnprovedState" or "UnprovedMptcp" or "UnprovedPath" or "UnprovedRepair" => (Counted.Unproved, Level.Debug),
            "Unasked" => (Counted.Unasked, Level.Debug),
            _ => throw new InvalidOperationException($"{name} is not in the table"),
        };
        OutcomeInfo info = OutcomeInfo.Of(outcome);
        Assert.Equal((counted, level), (info.Counted, info.Level));

        var status = new RoundStatus(new Rule());
        status.Counts.Count(outcome);
        Assert.Equal(counted == Counted.Failed ? ExitStatus.Incomplete : ExitStatus.Done, status.Of(Words.Run("-s22")));
        Assert.Equal(counted is Counted.Matched or Counted.Answered or Counted.Unproved or Counted.Unasked or Counted.OverLimit ? 0 : 1, status.Counts.Idle);
        status.IsNotPossible = true;
        bool isDone = counted is Counted.Closed or Counted.Cured || outcome == Outcome.Unknown;
        Assert.Equal(isDone, status.Of(Words.Run("-s22")) != ExitStatus.NotPossible);
    }

    /// <summary>For awk(1): the verb is one field, and the reason is the outcome of the record, unless the verb is enough.</summary>
    [Theory]
    [MemberData(nameof(Outcomes))]
    public void Of_EachOutcome_HasAVerbOfOneWordAndTheReasonOfItsRecord(string name)
    {
        OutcomeInfo info = OutcomeInfo.Of(Enum.Parse<Outcome>(name));
        (string verb, string record) = (Encoding.UTF8.GetString(info.Verb), Encoding.UTF8.GetString(info.Name));
        Assert.Matches("^[a-z]+(-[a-z]+)?$", verb);
        Assert.Equal(verb.Replace('-', '_') == record ? "" : record, Encoding.UTF8.GetString(info.LogReason));
    }

    [Fact]
    public void Names_TwoOutcomes_DifferInNameOrExplanation()
    {
        Outcome[] outcomes = Enum.GetValues<Outcome>();
        Assert.Equal(OutcomeInfo.Count, outcomes.Length);
        Assert.Distinct(outcomes.Select(static outcome => $"{Encoding.UTF8.GetString(OutcomeInfo.Of(outcome).Name)} {OutcomeInfo.Of(outcome).Explanation}"));
    }
}
