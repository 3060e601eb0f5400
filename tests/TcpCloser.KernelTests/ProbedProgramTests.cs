namespace TcpCloser.KernelTests;

/// <summary>
/// Real programs whose clients are probed by <c>--probe</c> do not notice, and only connections of vanished clients are
/// closed.
/// </summary>
public sealed class ProbedProgramTests
{
    private const string ShowSettings = "select current_setting('tcp_keepalives_idle'), current_setting('tcp_keepalives_interval'), "
        + "current_setting('tcp_keepalives_count'), current_setting('tcp_user_timeout');";

    /// <summary>
    /// All programs at once: first the clients whose address was removed are found, then those whose packets are
    /// dropped.
    /// </summary>
    private static readonly Lazy<Dictionary<string, ProgramRun>> s_runs = new(static () =>
    {
        using var scene = new ProgramScene([.. ServerProgram.All.Where(static program => program.IsInstalled)]);
        scene.RemoveAddress();
        var runs = new Dictionary<string, ProgramRun> { ["5s"] = scene.Probe("5s") };
        scene.DropPackets();
        runs["10s"] = scene.Probe("10s");
        return runs;
    });

    public static TheoryData<string, string> ProgramsAndTimes => [.. ServerProgram.All.SelectMany(static program => (string[])["5s", "10s"], static (program, time) => (program.Name, time))];

    [Theory]
    [MemberData(nameof(ProgramsAndTimes))]
    public void Probe_FiveClientsOfAProgramVanished_ClosesExactlyThose(string name, string time)
    {
        Namespaces.Require();
        Assert.SkipWhen(Namespaces.NeedUserNamespace, "the servers need a second user, which a user namespace does not have");
        Assert.SkipWhen(ServerHome.Find("nft") is null, "nftables is not installed");
        ServerProgram program = ServerProgram.All.Single(program => program.Name == name);
        Assert.SkipUnless(program.IsInstalled, $"{name} is not installed");

        ProgramRun run = s_runs.Value[time];

        Assert.Equal("", run.Failures.GetValueOrDefault(name, ""));
        string[] others = time == "5s" ? [$"{ProgramScene.DroppedAddress} answered {ProgramScene.Vanishing}"] : [];
        string vanished = time == "5s" ? ProgramScene.RemovedAddress : ProgramScene.DroppedAddress;
        string[] Expected(string outcome) =>
            [.. others.Append($"{ProgramScene.LivingAddress} answered {ProgramScene.Living}").Append($"{vanished} {outcome} {ProgramScene.Vanishing}").Order(StringComparer.Ordinal)];
        Assert.Equal(Expected("would_close"), ProgramRun.Outcomes(run.Dry.Expect(0), program));
        Assert.Equal(Expected("destroyed"), ProgramRun.Outcomes(run.Real.Expect(0), program));
    }

    /// <summary>
    /// A pool of idle PostgreSQL sessions, and one whose client's namespace lost its address: exactly that one is
    /// closed.
    /// </summary>
    [Fact]
    public void Probe_OnePostgresClientVanished_ClosesItsSessionOnly()
    {
        using var home = ServerProgram.Postgres.StartIsolated();
        using var living = new ClientHome(home, number: 0, "10.9.0.2");
        using var lost = new ClientHome(home, number: 1, "10.9.1.2");
        Command[] pool = [.. Enumerable.Range(0, 4).Select(_ => living.Start("psql -X -At -h 10.9.0.1 -U test postgres"))];
        string[] before = [.. pool.Select((psql, i) => Query(psql, ShowSettings, $"first{i}"))];
        using Command vanished = lost.Start("psql -X -At -h 10.9.1.1 -U test postgres");
        Query(vanished, "select 1;", "there");
        Assert.Equal(5, home.Connections(5432));
        home.Lab.WaitQuiet(5432, 3_100);
        lost.LoseAddress("10.9.1.2");

        Result result = home.Lab.Tool("-s", "5432", "--probe", "3s", "-v", "--include-own-session").Expect(0, "matched=5 idle=1 closed=1");

        Assert.Contains("10.9.1.2:", result.Destroyed.Single(), StringComparison.Ordinal);
        Assert.Equal(4, home.Connections(5432));
        Assert.Equal(before, pool.Select((psql, i) => Query(psql, ShowSettings, $"second{i}")));
        Assert.All(pool, static psql => Assert.Empty(psql.Stderr));
        Until.True(() => home.Run("grep -c 'could not receive data from client' /mnt/pg.log").Stdout.Trim() == "1", "the server's notice of one lost client");
    }

    private static string Query(Command psql, string query, string mark)
    {
        int before = psql.Stdout.Length;
        psql.WriteLine($"{query} select '{mark}';");
        Until.True(() => psql.Stdout[before..].Contains(mark), "an answer from psql; " + psql.Stderr);
        return psql.Stdout[before..].Split('\n')[0];
    }
}
