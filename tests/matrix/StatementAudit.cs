namespace TcpCloser.Matrix;

/// <summary>Compares what a run reported about its connections with what happened and with what the model expects.</summary>
internal sealed class StatementAudit(Row row, Model model, Scene scene, Findings findings)
{
    /// <summary>Judges one report: the log, the records or the table.</summary>
    /// <param name="isDry">Whether the run was a dry run.</param>
    /// <param name="isRefused">Whether --max prevented that anything was closed.</param>
    /// <param name="mayOmitSkipped">Whether the report may omit skipped connections.</param>
    /// <param name="run">The prefix of findings.</param>
    internal void Judge(RunReport report, bool isDry, bool isRefused, bool mayOmitSkipped, string run)
    {
        HashSet<string> known = [];
        foreach (Group group in scene.Dead.Concat(scene.Living))
        {
            IReadOnlyList<Fate> fates = !model.Searches(group) ? [Fate.NotSeen] : scene.Dead.Contains(group) ? model.Dead : model.Living;
            List<Truth> truths = group.Truths();
            for (int i = 0; i < truths.Count; i++)
            {
                string ends = group.Subjects[i].Ends;
                known.Add(ends);
                Statement[] statements = [.. report.Of(ends)];
                Array.ForEach(statements, statement => JudgeOne(statement, fates, truths[i], isDry, isRefused, run));
                if (statements.Length == 0 && !isRefused && !fates.Contains(Fate.NotSeen)
                    && !(mayOmitSkipped && fates.Any(static fate => fate is Fate.Skipped or Fate.Unasked)))
                {
                    findings.Add($"{run}nothing is reported about {group.Name} {ends}, expected {Names(fates)}");
                }
                findings.AddIf(
                    truths[i] == Truth.Closed && !isDry && statements.Length > 0 && !Array.Exists(statements, static statement => statement.Claim == Claim.Closed),
                    $"{run}{ends} is closed, but reported as: {Words(statements)}");
                findings.AddIf(statements.Length > 1 && !row.IsService,
                    $"{run}{ends} is reported {statements.Length} times: {Words(statements)}");
            }
        }

        foreach (Statement statement in report.Statements.Where(statement => !known.Contains(statement.Ends)))
        {
            findings.Add($"{run}{statement.Ends} does not match, but is reported as: {statement.Word}");
        }
    }

    /// <summary>Checks that the run does what the dry run before it promised.</summary>
    internal void Compare(RunReport dry, RunReport real)
    {
        foreach (Subject subject in scene.Dead.Concat(scene.Living).SelectMany(static group => group.Subjects))
        {
            Statement? promise = dry.Of(subject.Ends).FirstOrDefault();
            bool isDone = real.Of(subject.Ends).Any(static statement => statement.Claim is Claim.Closed or Claim.Cured);
            if (promise is { Claim: Claim.WouldClose, IsCertain: true } && !isDone && !model.MayBeRefused)
            {
                findings.Add($"the dry run showed {subject.Ends} as '{promise.Word}', the run after it reported: {Words(real.Of(subject.Ends))}");
            }
            else if (promise is not { Claim: Claim.WouldClose } && isDone)
            {
                findings.Add($"the run reported {subject.Ends} as {Words(real.Of(subject.Ends))}, the dry run before it: {promise?.Word ?? "nothing"}");
            }
        }
    }

    /// <summary>
    /// Checks that a service uses the same name for a network namespace in each round, and that a dry service shows the same each
    /// time.
    /// </summary>
    internal void CompareRounds(RunReport report)
    {
        foreach (IGrouping<bool, Group> groups in scene.Dead.GroupBy(static group => group.IsOther))
        {
            string[] names = [.. groups.SelectMany(static group => group.Subjects).SelectMany(subject => report.Of(subject.Ends))
                .Select(static statement => $"'{statement.Netns}'").Distinct()];
            findings.AddIf(names.Length > 1, $"service: one network namespace has the names {string.Join(" and ", names)}");
        }

        if (!row.IsDryOnly)
        {
            return;
        }

        foreach (IGrouping<string, Statement> shown in report.Statements.Where(static statement => statement.Claim != Claim.NotReached).GroupBy(static statement => statement.Ends))
        {
            string[] words = [.. shown.Select(static statement => statement.Word).Distinct()];
            if (words.Length > 1)
            {
                findings.Add($"service: {shown.Key} is '{words[0]}' in one round and '{words[1]}' in another");
            }
        }
    }

    private static string Words(IEnumerable<Statement> statements)
        => statements.Any() ? string.Join(", ", statements.Select(static statement => statement.Word)) : "nothing";

    private static string Names(IReadOnlyList<Fate> fates) => string.Join(" or ", fates);

    private void JudgeOne(Statement statement, IReadOnlyList<Fate> fates, Truth truth, bool isDry, bool isRefused, string run)
    {
        if (statement.Claim == Claim.UnknownWord)
        {
            findings.Add($"{run}this suite does not know the word '{statement.Word}'");
            return;
        }
        findings.AddIf(statement.Claim == Claim.Closed && truth != Truth.Closed,
            $"{run}{statement.Ends} is reported as {statement.Word}, but is {TruthAudit.Name(truth)}");
        bool mayAct = !isDry && !isRefused;
        bool isAllowed = statement.Claim switch
        {
            Claim.Closed => mayAct && fates.Contains(Fate.Closed),
            Claim.Cured => mayAct && fates.Contains(Fate.Cured),
            Claim.Failed => fates.Contains(Fate.Failed)
                || (row.IsService && row.Connection == "fin-wait-2" && statement.Word == "no_owner" && fates.Contains(Fate.Closed)), // after the kill
            Claim.Unasked => fates.Contains(Fate.Unasked),
            // SIGTERM may interrupt the last round, even before connections are excluded.
            Claim.NotReached => row.IsService && (row.Quantity == "exclude" || fates.Any(static fate => fate != Fate.NotSeen)),

            // A service sees some connections before their time is over, and others that it has cured in an earlier round.
            Claim.Skipped => fates.Contains(Fate.Skipped) || (row.IsService && (row.Time != "none" || row.Quantity == "matched-for" || fates.Contains(Fate.Cured)))
                || (row.IsService && statement.Word == "winding_down" && fates.Contains(Fate.Closed)), // in a round after the kill

            // Without privilege a dry run need not know that a connection cannot be closed, but then it has to show that it is unsure.
            Claim.WouldClose => !mayAct
                && (fates.Contains(Fate.Closed) || fates.Contains(Fate.Cured) || (fates.Contains(Fate.Failed) && !statement.IsCertain)),
            Claim.Vanished or Claim.Spared or Claim.UnknownWord => false,
        };
        if (!isAllowed)
        {
            string certainty = statement is { Claim: Claim.WouldClose, IsCertain: true } ? " as certain" : "";
            findings.Add($"{run}{statement.Ends} is reported as '{statement.Word}'{certainty}, expected {Names(fates)}");
            return;
        }

        bool namesMethod = statement.Method.Length > 0 && statement.Word != "reset"
            && (statement.Claim is Claim.Closed or Claim.Cured || statement is { Claim: Claim.WouldClose, IsCertain: true });
        findings.AddIf(namesMethod && statement.Method != model.Method,
            $"{run}{statement.Ends} {statement.Word}: the method is reported as '{statement.Method}', but is '{model.Method}'");
    }
}
