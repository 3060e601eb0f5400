namespace TcpCloser.Fuzz;

/// <summary>Whole rounds on a machine with a damaged /proc: compares the reports with the state of the connections.</summary>
internal sealed class DamagedRounds : ITarget
{
    private static readonly string[][] s_words =
    [
        ["-46", "-s", "22", "-t", "1s", "-v"],
        ["-46", "-s", "22", "-t", "1s", "-v", "--method", "disconnect"],
        ["-46", "-s", "22", "-t", "1s", "-v", "-n", "--method", "kill"],
        ["-46", "-s", "22", "-t", "1s", "-v", "--method", "keepalive"],
        ["-46", "-s", "22", "-t", "1s", "-v", "--comm", "worker"],
        ["-46", "-s", "22", "-t", "1s", "-v", "--pid", "200,201,204", "--method", "disconnect"],
    ];

    /// <summary>Rare, because a kill waits a second for processes that hold no such socket.</summary>
    private static readonly string[] s_kill = ["-46", "-s", "22", "-t", "1s", "-v", "--method", "kill"];

    public string Name => "rounds with a damaged /proc";

    public bool Try(Dice dice)
    {
        var host = new FakeHost();
        var scene = new ServerScene(host, hasSshConnection: dice.OneIn(2), isBelowTmux: dice.OneIn(2));
        if (dice.OneIn(2))
        {
            scene.AddSshClient();
        }

        string[] words = dice.OneIn(500) ? s_kill : dice.Pick(s_words);
        var machine = new Machine(host.Network, () => new DamagedProcesses(host.OpenProcesses(), dice), FakeHost.NoRoot);
        var observer = new RecordingObserver();
        ExitStatus status = Rounds.Make(machine, [observer], stop: null, words).Run();

        bool isKeepalive = words.Contains("keepalive");
        if (!isKeepalive)
        {
            new RoundAudit(host, observer, status) { IsSelected = IsSelected, HadFalseAbsence = true }.Run();
        }

        Check.That(host.AllLeftOpen == 0, "a handle was not closed");
        Check.That(host.Signals.TrueForAll(signal => signal.Pid > 1 && signal.Pid != host.Self), "process 1 or the program itself was signalled");
        Check.That(host.Signals.Count == 0 || words == s_kill, "a signal although no kill was requested");
        Check.That(!(isKeepalive || words.Contains("-n")) || host.Sockets.TrueForAll(static socket => socket.IsOpen), "closed although only a preview or keepalive was requested");
        return observer.Reported.Count > 0;

        bool IsSelected(FakeTcp socket) => ServerScene.IsOfPort22(socket) || socket == scene.OtherEnd;
    }
}
