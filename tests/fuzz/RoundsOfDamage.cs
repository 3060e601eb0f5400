using TcpCloser.Tests.Support;

namespace TcpCloser.Fuzz;

/// <summary>Whole rounds on a machine whose /proc is damaged: what is told is held against what became of the connections.</summary>
internal sealed class RoundsOfDamage : ITarget
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

    /// <summary>A kill waits a second for processes that hold no such socket, so that there are few of these.</summary>
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
        var machine = new Machine(host.Network, () => new DamagedProcesses(host.OpenProcesses(), dice));
        var observer = new RecordingObserver();
        ExitStatus status = Rounds.Make(machine, [observer], stop: null, words).Run();

        bool isCured = words.Contains("keepalive");
        if (!isCured)
        {
            new RoundAudit(host, observer, status) { IsMeant = IsMeant, WasLiedTo = true }.Run();
        }

        Check.That(host.AllLeftOpen == 0, "a handle was not closed");
        Check.That(host.Signals.TrueForAll(signal => signal.Pid > 1 && signal.Pid != host.Self), "process 1 or this one was signalled");
        Check.That(host.Signals.Count == 0 || words == s_kill, "a signal without being asked for one");
        Check.That(!(isCured || words.Contains("-n")) || host.Sockets.TrueForAll(static socket => socket.IsOpen), "closed without being asked to");
        return observer.Told.Count > 0;

        bool IsMeant(FakeTcp socket) => ServerScene.IsOfPort22(socket) || socket == scene.OtherEnd;
    }
}
