using System.Collections.Concurrent;
using TcpCloser.Interop;
using TcpCloser.Tests.Support;

namespace TcpCloser.Tests.Runs;

/// <summary>
/// Every call of a round fails, once and from then on, with every errno that it may have; and a signal comes, a connection ends, a
/// process is replaced before every call. Whatever happens: what is closed is told, what is told is true, and the status says so.
/// </summary>
public sealed class EveryCallFailsTests
{
    private const string AtOnce = "kill at once";
    private const int AtATime = 32;
    private const int Most = 5_000;
    private const int Shown = 5;

    private static readonly string[] s_words = ["-46", "-s", "22", "-t", "1s", "-v"];

    /// <summary>A name for each kind of round, and the words that it has beside <see cref="s_words"/>.</summary>
    public static TheoryData<string> Kinds => [.. s_kinds.Keys];

    /// <summary>The same without the one that waits a second wherever a process is not found.</summary>
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
        ["kill beside the hidden"] = ["--method", "kill", "--grace", "5ms"],
        ["dry run"] = ["-n"],
        ["dry run of kill"] = ["-n", "--method", "kill"],
        ["max"] = ["--method", "kill", "--grace", "5ms", "--max", "100"],
        ["more than max"] = ["--method", "kill", "--max", "3"],
        ["of a process"] = ["--pid", "200"],
        ["of a name"] = ["--comm", "worker", "--uid", "1000"],
        ["without SSH_CONNECTION"] = [],
        ["over loopback"] = ["-s", "30000"],
        ["over loopback without SSH_CONNECTION"] = ["-s", "30000"],
        ["below tmux"] = [],
    };

    [Theory]
    [MemberData(nameof(Kinds))]
    public void NothingFails(string kind)
    {
        Trial trial = Run(kind, static (_, _) => 0);
        ServerScene scene = trial.Scene;
        trial.Audit(wasLiedTo: false);
        Assert.True(scene.OtherPort.IsOpen || kind.Contains("kill", StringComparison.Ordinal) || kind == "max");
        Assert.True(scene.OwnSession.IsOpen || kind == "auto unsupported");
        Assert.True(scene.BusyOne.IsOpen || kind.Contains("kill", StringComparison.Ordinal) || kind == "max");
        ExitStatus expected = kind switch
        {
            "auto" or "destroy" or "dry run" or "of a process" or "of a name" or "without SSH_CONNECTION" or "below tmux" or "mptcp"
                or "over loopback" or "over loopback without SSH_CONNECTION" => ExitStatus.Done,
            "destroy refused" => ExitStatus.NotPossible,
            "more than max" => ExitStatus.Refused,
            _ => ExitStatus.Incomplete,
        };
        Assert.Equal(expected, trial.Status);
    }

    [Theory]
    [MemberData(nameof(QuickKinds))]
    public void EachCallFailsOnce(string kind) => ForEachCall(kind, static (call, number, errno) => (name, i) => i == number ? errno : 0);

    [Theory]
    [MemberData(nameof(QuickKinds))]
    public void EachCallFailsFromThenOn(string kind) => ForEachCall(kind, static (call, number, errno) => (name, i) => i >= number && name == call ? errno : 0);

    /// <summary>Memory may end anywhere; what was closed by then is told.</summary>
    [Theory]
    [MemberData(nameof(Kinds))]
    public void MemoryEndsBeforeEachCall(string kind)
    {
        int calls = Run(kind, static (_, _) => 0).Calls.Count;
        Together(calls, when =>
        {
            Trial trial = Run(kind, static (_, _) => 0, (_, number) =>
            {
                if (number == when)
                {
                    throw new InsufficientMemoryException(); // an OutOfMemoryException that may be thrown
                }
            });
            if (trial.Scene.Host.Sockets.TrueForAll(static socket => socket.IsOpen) && trial.Scene.Host.Signals.Count == 0)
            {
                // Nothing was done: then what was left alone need not be told one by one.
                Assert.True(trial.Status is ExitStatus.Incomplete or ExitStatus.NotPossible && trial.Observer.Errors.Any(), $"call {when}: status {trial.Status}");
                return;
            }

            // How often a kill looks while it waits is a matter of time: a run may have fewer calls than the one that was counted.
            trial.Audit(wasLiedTo: false, $"call {when}, {trial.Calls.ElementAtOrDefault(when)}", leavesOpen: true);
        });
    }

    /// <summary>The connection of a worker ends by itself.</summary>
    [Theory]
    [MemberData(nameof(Kinds))]
    public void AConnectionEndsBeforeEachCall(string kind)
    {
        int calls = Run(kind, static (_, _) => 0).Calls.Count;
        Together(calls, when =>
        {
            Trial trial = Run(kind, static (_, _) => 0, (scene, number) =>
            {
                if (number == when)
                {
                    scene.One.End(FakeHost.ByItself);
                }
            });
            trial.Audit(wasLiedTo: false, $"call {when}");
        });
    }

    /// <summary>The owner closes its socket and opens another under the same number, which nobody asked to close.</summary>
    [Theory]
    [InlineData("disconnect")]
    [InlineData("auto refused")]
    [InlineData("mptcp disconnect")]
    public void ADescriptorIsAnotherSocketBeforeEachCall(string kind)
    {
        int calls = Run(kind, static (_, _) => 0).Calls.Count;
        Together(calls, when =>
        {
            FakeTcp? stranger = null;
            Trial trial = Run(kind, static (_, _) => 0, (scene, number) =>
            {
                if (number == when)
                {
                    int fd = scene.Worker.Descriptors.First(pair => pair.Value == scene.One.Link).Key;
                    scene.One.End(FakeHost.ByItself);
                    scene.Worker.Descriptors.Remove(fd);
                    stranger = scene.Socket(1000, scene.Worker);
                    stranger.Dumped = stranger.Dumped with { SourcePort = 443 };
                    Assert.Equal(stranger.Link, scene.Worker.Descriptors[fd]);
                    stranger.Dumped = stranger.Dumped with { Inode = when % 2 == 0 ? stranger.Dumped.Inode : scene.One.Dumped.Inode };
                    scene.Worker.Descriptors[fd] = stranger.Link;
                }
            });
            trial.Audit(wasLiedTo: false, $"call {when}");
            Assert.True(stranger!.IsOpen);
        });
    }

    /// <summary>The owner ends, and its id is another process's.</summary>
    [Theory]
    [InlineData(AtOnce)]
    [InlineData("kill twice")]
    [InlineData("disconnect")]
    public void AProcessIsAnotherBeforeEachCall(string kind)
    {
        int calls = Run(kind, static (_, _) => 0).Calls.Count;
        Together(calls, when =>
        {
            FakeProcess? stranger = null;
            Trial trial = Run(kind, static (_, _) => 0, (scene, number) =>
            {
                if (number == when)
                {
                    if (scene.Worker.IsAlive)
                    {
                        scene.Host.Exit(scene.Worker, FakeHost.ByItself);
                    }

                    stranger = scene.Host.Add(new FakeProcess(scene.Worker.Pid) { Descriptors = { [3] = "socket:[77]" } });
                }
            });
            trial.Audit(wasLiedTo: false, $"call {when}");
            Assert.True(stranger is null or { IsAlive: true }, $"call {when}");
        });
    }

    /// <summary>A signal asks to stop before each call.</summary>
    [Theory]
    [MemberData(nameof(Kinds))]
    public void ASignalComesBeforeEachCall(string kind)
    {
        int calls = Run(kind, static (_, _) => 0).Calls.Count;
        Together(calls + 1, when =>
        {
            Trial trial = Run(kind, static (_, _) => 0, stopAt: when);
            trial.Audit(wasLiedTo: false, $"call {when}");
            Assert.True(trial.Status != ExitStatus.Done || trial.Scene.Host.Sockets.TrueForAll(socket =>
                !socket.IsOpen || !ServerScene.IsOfPort22(socket) || trial.Observer.Told.ContainsKey(socket.Dumped.Cookie) || kind.StartsWith("dry", StringComparison.Ordinal)
                || kind.StartsWith("of a", StringComparison.Ordinal)));
        });
    }

    private static void ForEachCall(string kind, Func<string, int, int, Func<string, int, int>> fault)
    {
        IReadOnlyList<string> calls = Run(kind, static (_, _) => 0).Calls;
        Assert.NotEmpty(calls);
        var trials = calls.SelectMany((call, n) => PlausibleErrnos.Of(call).Select(errno => (call, n, errno))).ToList();
        Together(trials.Count, i =>
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

    /// <summary>Many at a time, because some wait a second for a process to end. The first failures are shown.</summary>
    private static void Together(int count, Action<int> trial)
    {
        Assert.InRange(count, 1, Most);
        ThreadPool.SetMinThreads(AtATime, AtATime);
        var failures = new ConcurrentDictionary<int, string>();
        Parallel.For(0, count, new ParallelOptions { MaxDegreeOfParallelism = AtATime }, i =>
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
            $"{failures.Count} of {count}:\n{string.Join('\n', failures.OrderBy(static pair => pair.Key).Select(static pair => pair.Value).Take(Shown))}");
    }

    private static void Try(string kind, string call, int errno, Func<string, int, int> fault)
    {
        bool wasLiedTo = PlausibleErrnos.SaysNotThere(call, errno);
        Trial trial = Run(kind, fault);
        trial.Audit(wasLiedTo);

        // Without a /proc there is no more to know, and that is said.
        bool hasNoProc = call is "open proc" or "list processes" && errno is Errno.ENOENT or Errno.EACCES or Errno.EPERM
            && trial.Observer.Messages.Exists(static message => message.Text.StartsWith("without a /proc", StringComparison.Ordinal));
        bool isOpen = trial.Scene.OwnSession.IsOpen && trial.Scene.OtherEnd is null or { IsOpen: true };
        Assert.True(isOpen || wasLiedTo || hasNoProc || kind == "auto unsupported", "the own session was closed");
    }

    private static Trial Run(string kind, Func<string, int, int> fault, Action<ServerScene, int>? before = null, int? stopAt = null)
    {
        var host = new FakeHost
        {
            DestroyErrno = kind switch
            {
                "destroy refused" or "auto refused" => Errno.EPERM,
                "auto unsupported" => Errno.EOPNOTSUPP,
                _ => 0,
            },
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
            case "kill beside the hidden":
                host.Add(new FakeProcess(212) { Refusal = Errno.EACCES, Uid = 5 });
                break;
        }

        host.Faults.Errno = fault;
        host.Faults.Before = before is null ? null : (_, number) => before(scene, number);
        var observer = new RecordingObserver();
        var stop = new FakeStop(stopAt is { } at ? () => host.Faults.Calls.Count >= at : null);
        Predicate<FakeTcp> isMeant = kind switch
        {
            "of a process" => socket => ServerScene.IsOfPort22(socket) && scene.Worker.Descriptors.ContainsValue(socket.Link),
            "of a name" => static socket => ServerScene.IsOfPort22(socket) && socket.Dumped.Uid == 1000,
            "over loopback" or "over loopback without SSH_CONNECTION" => socket => ServerScene.IsOfPort22(socket) || socket == scene.OtherEnd,
            _ => ServerScene.IsOfPort22,
        };
        var trial = new Trial(scene, observer, isMeant);
        trial.Status = Rounds.Make(host.Machine, [observer], stop, [.. s_words, .. s_kinds[kind]]).Run();
        return trial;
    }
}
