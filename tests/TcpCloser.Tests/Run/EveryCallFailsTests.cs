using System.Collections.Concurrent;

namespace TcpCloser.Tests.Run;

/// <summary>
/// Every call of a round fails, once or from then on, with every errno that it may have. A signal arrives, a connection ends, or a process
/// is replaced before every call. Whatever happens, every closed connection is reported, every report is true, and the status fits.
/// </summary>
[Trait("Category", "Long")]
public sealed class EveryCallFailsTests
{
    private const string AtOnce = "kill at once";
    private const ushort Stranger = 443;
    private const int MaxParallel = 32;
    private const int MaxTrials = 5_000;
    private const int ShownFailures = 5;
    private static readonly string[] s_words = ["-46", "-s", "22", "-t", "1s", "-v"];

    /// <summary>The name of each kind of round; its options come in addition to <see cref="s_words"/>.</summary>
    public static TheoryData<string> Kinds => [.. s_kinds.Keys];

    /// <summary>The same without the kind that waits a second whenever a process is not found.</summary>
    public static TheoryData<string> QuickKinds => [.. s_kinds.Keys.Where(static kind => kind != AtOnce)];

    private static readonly Dictionary<string, string[]> s_kinds = new()
    {
        ["auto"] = [],
        ["destroy"] = ["--method", "destroy"],
        ["destroy refused"] = ["--method", "destroy"],
        ["auto refused"] = [],
        ["auto unsupported"] = ["--include-own-session"],
        ["disconnect"] = ["--method", "disconnect"],
        ["mptcp"] = [],
        ["mptcp disconnect"] = ["--method", "disconnect"],
        [AtOnce] = ["--method", "kill"],
        ["kill"] = ["--method", "kill", "--grace", "5ms"],
        ["kill twice"] = ["--method", "kill", "--grace", "2ms"],
        ["kill with a hidden process"] = ["--method", "kill", "--grace", "5ms"],
        ["disconnect from threads"] = ["--method", "disconnect"],
        ["kill with threads"] = ["--method", "kill", "--grace", "5ms"],
        ["dry run"] = ["-n"],
        ["dry run of kill"] = ["-n", "--method", "kill"],
        ["max"] = ["--method", "kill", "--grace", "5ms", "--max", "100"],
        ["more than max"] = ["--method", "kill", "--max", "3"],
        ["limit"] = ["--limit", "3"],
        ["limit of kill"] = ["--method", "kill", "--grace", "5ms", "--limit", "5"],
        ["keep"] = ["--keep", "1/process"],
        ["keep of kill"] = ["--method", "kill", "--grace", "5ms", "--keep", "1/state"],
        ["dry run of limit"] = ["-n", "--limit", "3", "--keep", "1/peer"],
        ["exclusions"] = ["--not-comm", "dbus-daemon", "--not-uid", "0"],
        ["of a process"] = ["--pid", "200"],
        ["of a name"] = ["--comm", "worker", "--uid", "1000"],
        ["without SSH_CONNECTION"] = [],
        ["over loopback"] = ["-s", "30000"],
        ["over loopback without SSH_CONNECTION"] = ["-s", "30000"],
        ["below tmux"] = [],
    };

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Round_NoCallFails_HasTheExpectedStatus(string kind)
    {
        Trial trial = Run(kind);
        ServerScene scene = trial.Scene;
        trial.Audit(wasLiedTo: false);
        Assert.True(scene.OtherPort.IsOpen || kind.Contains("kill", StringComparison.Ordinal) || kind == "max");
        Assert.True(scene.OwnSession.IsOpen || kind == "auto unsupported");
        Assert.True(scene.BusyOne.IsOpen || kind.Contains("kill", StringComparison.Ordinal) || kind == "max");
        ExitStatus expected = kind switch
        {
            "auto" or "destroy" or "dry run" or "limit" or "keep" or "dry run of limit" or "exclusions" or "of a process" or "of a name" or "without SSH_CONNECTION" or "below tmux" or "mptcp"
                or "over loopback" or "over loopback without SSH_CONNECTION" => ExitStatus.Done,
            "destroy refused" => ExitStatus.NotPossible,
            "more than max" => ExitStatus.Refused,
            _ => ExitStatus.Incomplete,
        };
        Assert.Equal(expected, trial.Status);
    }

    [Theory]
    [MemberData(nameof(QuickKinds))]
    public void Round_EachCallFailsOnce_ReportsTheTruth(string kind) =>
        ForEachCall(kind, static (call, number, errno) => (name, i) => i == number ? errno : 0);

    [Theory]
    [MemberData(nameof(QuickKinds))]
    public void Round_EachCallFailsFromThenOn_ReportsTheTruth(string kind) =>
        ForEachCall(kind, static (call, number, errno) => (name, i) => i >= number && name == call ? errno : 0);

    /// <summary>Memory may run out anywhere; what was closed by then is reported.</summary>
    [Theory]
    [MemberData(nameof(Kinds))]
    public void Round_MemoryRunsOutBeforeEachCall_ReportsTheTruth(string kind) => RunTrials(Run(kind).Calls.Count, when =>
    {
        // An InsufficientMemoryException is an OutOfMemoryException that user code may throw.
        Trial trial = Run(kind, before: (_, number) =>
        {
            if (number == when)
            {
                throw new InsufficientMemoryException();
            }
        });
        if (trial.Scene.Host.Sockets.TrueForAll(static socket => socket.IsOpen) && trial.Scene.Host.Signals.Count == 0)
        {
            // Nothing was done, so skipped connections need not be reported one by one.
            Assert.True(trial.Status is ExitStatus.Incomplete or ExitStatus.NotPossible && trial.Observer.Errors.Any(), $"call {when}: status {trial.Status}");
            return;
        }

        // How often kill polls while it waits depends on timing: a run may make fewer calls than the one that was counted.
        trial.Audit(wasLiedTo: false, $"call {when}, {trial.Calls.ElementAtOrDefault(when)}", leavesOpen: true);
    });

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Round_ConnectionEndsBeforeEachCall_ReportsTheTruth(string kind) =>
        ChangeBeforeEachCall(kind, static (scene, _) => scene.One.End(FakeHost.ByItself), static _ => true);

    /// <summary>The holder closes its socket and opens a different one under the same descriptor, which must not be closed.</summary>
    [Theory]
    [Values("disconnect", "auto refused", "mptcp disconnect")]
    public void Round_DescriptorReusedBeforeEachCall_LeavesTheNewSocketOpen(string kind) => ChangeBeforeEachCall(
        kind,
        static (scene, when) =>
        {
            int fd = scene.Worker.Descriptors.First(pair => pair.Value == scene.One.Link).Key;
            scene.One.End(FakeHost.ByItself);
            scene.Worker.Descriptors.Remove(fd);
            FakeTcp stranger = scene.Socket(1000, scene.Worker);
            stranger.Dumped = stranger.Dumped with { SourcePort = Stranger };
            Assert.Equal(stranger.Link, scene.Worker.Descriptors[fd]);
            stranger.Dumped = stranger.Dumped with { Inode = when % 2 == 0 ? stranger.Dumped.Inode : scene.One.Dumped.Inode };
            scene.Worker.Descriptors[fd] = stranger.Link;
        },
        static scene => scene.Host.Sockets.Single(static socket => socket.Dumped.SourcePort == Stranger).IsOpen);

    /// <summary>The holder ends, and its pid is reused by a different process, which must not be signalled.</summary>
    [Theory]
    [Values(AtOnce, "kill twice", "disconnect")]
    public void Round_PidReusedBeforeEachCall_SparesTheNewProcess(string kind) => ChangeBeforeEachCall(
        kind,
        static (scene, _) =>
        {
            if (scene.Worker.IsAlive)
            {
                scene.Host.Exit(scene.Worker, FakeHost.ByItself);
            }

            scene.Host.Add(new FakeProcess(scene.Worker.Pid) { Descriptors = { [3] = "socket:[77]" } });
        },
        static scene => scene.Host.Processes.TrueForAll(process => process.Pid != scene.Worker.Pid || process == scene.Worker || process.IsAlive));

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Round_SignalArrivesBeforeEachCall_ReportsTheTruth(string kind) => RunTrials(Run(kind).Calls.Count + 1, when =>
    {
        Trial trial = Run(kind, stopAt: when);
        trial.Audit(wasLiedTo: false, $"call {when}");
        Assert.True(trial.Status != ExitStatus.Done || trial.Scene.Host.Sockets.TrueForAll(socket =>
            !socket.IsOpen || !ServerScene.IsOfPort22(socket) || trial.Observer.Reported.ContainsKey(socket.Dumped.Cookie) || kind.StartsWith("dry", StringComparison.Ordinal)
            || kind.StartsWith("of a", StringComparison.Ordinal) || kind == "exclusions"));
    });

    /// <summary>Makes a round for each call, in which the change happens right before that call, and audits it.</summary>
    private static void ChangeBeforeEachCall(string kind, Action<ServerScene, int> change, Predicate<ServerScene> isRight) =>
        RunTrials(Run(kind).Calls.Count, when =>
        {
            Trial trial = Run(kind, before: (scene, number) =>
            {
                if (number == when)
                {
                    change(scene, when);
                }
            });
            trial.Audit(wasLiedTo: false, $"call {when}");
            Assert.True(isRight(trial.Scene), $"call {when}");
        });

    private static void ForEachCall(string kind, Func<string, int, int, Func<string, int, int>> fault)
    {
        IReadOnlyList<string> calls = Run(kind).Calls;
        Assert.NotEmpty(calls);
        var trials = calls.SelectMany((call, n) => PlausibleErrnos.Of(call).Select(errno => (call, n, errno))).ToList();
        RunTrials(trials.Count, i =>
        {
            (string call, int number, int errno) = trials[i];
            try
            {
                Try(kind, call, errno, fault(call, number, errno));
            }
            catch (Xunit.Sdk.XunitException e)
            {
                throw new InvalidOperationException($"call {number}, {call}, {Errno.Describe(errno)}: {e.Message}");
            }
        });
    }

    /// <summary>Runs many trials at a time, because some wait a second for a process to end, and shows the first failures.</summary>
    private static void RunTrials(int count, Action<int> trial)
    {
        Assert.InRange(count, 1, MaxTrials);
        ThreadPool.SetMinThreads(MaxParallel, MaxParallel);
        var failures = new ConcurrentDictionary<int, string>();
        Parallel.For(0, count, new ParallelOptions { MaxDegreeOfParallelism = MaxParallel }, i =>
        {
            try
            {
                trial(i);
            }
            catch (Exception e) when (e is Xunit.Sdk.XunitException or InvalidOperationException)
            {
                failures[i] = e.Message;
            }
        });
        Assert.True(failures.IsEmpty,
            $"{failures.Count} of {count}:\n{string.Join('\n', failures.OrderBy(static pair => pair.Key).Select(static pair => pair.Value).Take(ShownFailures))}");
    }

    private static void Try(string kind, string call, int errno, Func<string, int, int> fault)
    {
        bool wasLiedTo = PlausibleErrnos.MeansAbsent(call, errno);
        Trial trial = Run(kind, fault);
        trial.Audit(wasLiedTo);

        // Without a /proc no more can be known, and that is reported.
        bool hasNoProc = call is "open proc" or "list processes" && errno is Errno.ENOENT or Errno.EACCES or Errno.EPERM
            && trial.Observer.Messages.Exists(static message => message.Text.StartsWith("without a /proc", StringComparison.Ordinal));
        bool isOpen = trial.Scene.OwnSession.IsOpen && trial.Scene.OtherEnd is null or { IsOpen: true };
        Assert.True(isOpen || wasLiedTo || hasNoProc || kind == "auto unsupported", "the operator's session was closed");
    }

    private static Trial Run(string kind, Func<string, int, int>? fault = null, Action<ServerScene, int>? before = null, int? stopAt = null)
    {
        var host = new FakeHost
        {
            DestroyErrno = kind switch { "destroy refused" or "auto refused" => Errno.EPERM, "auto unsupported" => Errno.EOPNOTSUPP, _ => 0 },
        };
        var scene = new ServerScene(host, !kind.EndsWith("without SSH_CONNECTION", StringComparison.Ordinal), kind == "below tmux");
        switch (kind)
        {
            case "mptcp" or "mptcp disconnect":
                scene.AddMptcp(scene.Worker);
                break;
            case "over loopback" or "over loopback without SSH_CONNECTION":
                scene.AddSshClient();
                break;
            case "kill twice":
                scene.Socket(1000, host.Add(new FakeProcess(210) { Survives = static signal => signal != Signal.SIGKILL }));
                break;
            case "disconnect from threads" or "kill with threads":
                FakeProcess threaded = host.Add(new FakeProcess(220) { SharingThreads = 1, Threads = { [225] = [], [226] = [] } });
                threaded.Threads[226][3] = scene.Socket(1000).Link;
                FakeProcess headless = host.Add(new FakeProcess(230) { HasFirstThreadEnded = true, Threads = { [231] = [] } });
                headless.Threads[231][3] = scene.Socket(1000).Link;
                break;
            case "kill with a hidden process":
                host.Add(new FakeProcess(212) { Refusal = Errno.EACCES, Uid = 5 });
                break;
        }

        host.Faults.Errno = fault ?? host.Faults.Errno;
        host.Faults.Before = before is null ? null : (_, number) => before(scene, number);
        var observer = new RecordingObserver();
        var stop = new FakeStop(stopAt is { } at ? () => host.Faults.Calls.Count >= at : null);
        Predicate<FakeTcp> isSelected = kind switch
        {
            "of a process" => socket => ServerScene.IsOfPort22(socket) && scene.Worker.Descriptors.ContainsValue(socket.Link),
            "exclusions" => socket => ServerScene.IsOfPort22(socket) && socket != scene.AlsoHeldByOtherUser
                && socket.Dumped.Uid != 0,
            "of a name" => static socket => ServerScene.IsOfPort22(socket) && socket.Dumped.Uid == 1000,
            "over loopback" or "over loopback without SSH_CONNECTION" => socket => ServerScene.IsOfPort22(socket) || socket == scene.OtherEnd,
            _ => ServerScene.IsOfPort22,
        };
        var trial = new Trial(scene, observer, isSelected) { ExcludesByProcess = kind == "exclusions" };
        trial.Status = Rounds.Make(host.Machine, [observer], stop, [.. s_words, .. s_kinds[kind]]).Run();
        return trial;
    }
}
