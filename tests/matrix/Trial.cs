namespace TcpCloser.Matrix;

/// <summary>Sets up, runs and judges one row.</summary>
internal sealed class Trial(Row row, CopiedBinaries binaries)
{
    private const int Rounds = 3;

    /// <summary>The time limit of a run, in addition to its probe time.</summary>
    private static readonly TimeSpan s_limit = TimeSpan.FromSeconds(25);
    private readonly StringBuilder _record = new();

    internal string? Skipped { get; private set; }
    internal List<string> Findings { get; private set; } = [];

    /// <summary>All commands and their output, for a reader.</summary>
    internal string Record => _record.ToString();

    /// <summary>The time after which the connections are idle, proven dead, or quiet for long enough to be probed.</summary>
    private TimeSpan SettleTime => row.Time switch
    {
        "none" => TimeSpan.Zero,
        "idle" or "busy" => TimeSpan.FromSeconds(3),
        "no-ack" => TimeSpan.FromSeconds(6),
        _ => TimeSpan.FromSeconds(1.5),
    };

    private TimeSpan Limit => row.ProbeTime + s_limit;

    internal void Execute()
    {
        Skipped = Machine.FindObstacle(row);
        CgroupPair? cgroups = null;
        if (Skipped is null && row.HasCgroups)
        {
            cgroups = CgroupPair.TryCreate(out string reason);
            Skipped = cgroups is null ? reason : null;
        }

        using (cgroups)
        {
            if (Skipped is not null)
            {
                return;
            }

            Findings findings = new();
            try
            {
                using Scene scene = new(row, binaries, cgroups);
                scene.CreateWave(0);
                Run(scene, new Audit(row, scene, findings), cgroups);
            }
            catch (Exception failure) when (failure is InvalidOperationException or IOException or TimeoutException or KeyNotFoundException or ArgumentException)
            {
                findings.Add($"the suite itself: {failure.Message}");
                _record.AppendLine(failure.ToString());
            }

            Findings = findings.Grouped();
        }
    }

    private void Run(Scene scene, Audit audit, CgroupPair? cgroups)
    {
        foreach (Group group in scene.Dead.Concat(scene.Living).Concat(scene.Bystanders))
        {
            _record.AppendLine($"{group.Name}: {string.Join(", ", group.Subjects.Select(static subject => subject.Ends))}; processes {string.Join(' ', group.Pids)}");
        }

        if (row.Run == "service")
        {
            RunService(scene, audit, cgroups); // the service itself waits until the connections are idle or dead
            return;
        }

        Thread.Sleep(SettleTime);
        if (row.IsService)
        {
            RunService(scene, audit, cgroups);
            return;
        }

        if (row.IsDryOnly && cgroups is not null && row.Selector != "tmpfs" && row.Namespace == "own")
        {
            using ToolRun run = new(ToolCommand.CountByUnit(row, scene, binaries, cgroups));
            audit.JudgeGroups(Write(run.WaitForEnd(Limit)), cgroups.Unit);
        }

        RunReport? dry = row.Run is "dry" or "dry-once" ? audit.JudgeRun(Once(scene, cgroups, isDry: true), isDry: true) : null;
        if (row.Run is "once" or "dry-once")
        {
            RunReport real = audit.JudgeRun(Once(scene, cgroups, isDry: false), isDry: false);
            if (dry is not null)
            {
                audit.Compare(dry, real);
            }
        }
    }

    private ToolResult Once(Scene scene, CgroupPair? cgroups, bool isDry)
    {
        using ToolRun run = new(ToolCommand.Build(row, scene, binaries, cgroups, isDry, Max(scene), Enough(scene)));
        return Write(run.WaitForEnd(Limit));
    }

    private void RunService(Scene scene, Audit audit, CgroupPair? cgroups)
    {
        using ToolRun run = new(ToolCommand.Build(row, scene, binaries, cgroups, row.IsDryOnly, Max(scene), Enough(scene)));
        // Later connections have pids that are not known beforehand; a dry run closes none, and so sees the same connections again.
        int waves = row.IsDryOnly || row.Selector == "pid" ? 1 : Scene.MaxWaves;
        bool isComplete = false;
        for (int wave = 0; wave < waves && !run.HasEnded; wave++)
        {
            if (wave > 0)
            {
                // The service must not close connections that are still being created.
                run.Pause(stop: true);
                scene.CreateWave(wave);
                run.Pause(stop: false);
            }

            if (audit.MustClose)
            {
                isComplete = audit.AwaitClosed(Limit, () => run.HasEnded);
            }
            else
            {
                Thread.Sleep(SettleTime);
                isComplete = run.AwaitRounds(run.Rounds + 2, Limit + Limit);
            }
        }

        isComplete &= run.AwaitRounds(Rounds, Limit + Limit);
        run.Signal("TERM");
        audit.JudgeService(Write(run.WaitForEnd(s_limit)), isComplete);
    }

    private int Max(Scene scene)
    {
        // The contract does not say whether an MPTCP connection with two subflows counts once or twice.
        int connections = scene.Dead.Sum(static group => group.Subjects.Select(static subject => subject.Index).Distinct().Count());
        return row.Max == "enough" ? Enough(scene) : connections - 1;
    }

    private int Enough(Scene scene) => scene.Dead.Sum(static group => group.Subjects.Count) * (row.IsService ? Scene.MaxWaves : 1);

    private ToolResult Write(ToolResult result)
    {
        _record.AppendLine($"$ {result.Command}").AppendLine(result.Stdout).AppendLine(result.Stderr)
            .AppendLine($"exit {result.Status} after {result.Time.TotalSeconds:0.0} s");
        return result;
    }
}
