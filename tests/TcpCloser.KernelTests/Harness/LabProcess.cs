using System.Globalization;

namespace TcpCloser.KernelTests.Harness;

/// <summary>The Lab in a new network namespace, with its connections established.</summary>
internal sealed partial class LabProcess : IDisposable
{
    internal const int Port = 5000;
    internal const string PortText = "5000";
    internal const int DecoyPort = 6000;
    private readonly Command _command;
    private readonly Conversation _conversation;
    private readonly bool _ownProcesses;
    private readonly bool _ownMounts;

    private LabProcess(Command command, bool ownProcesses, bool ownMounts)
    {
        _command = command;
        _conversation = new Conversation(command);
        _ownProcesses = ownProcesses;
        _ownMounts = ownMounts;
    }

    /// <summary>The Lab's process id in the pid namespace of the tests.</summary>
    internal int Id { get; private set; }
    /// <summary>The lines that the Lab wrote before READY.</summary>
    internal string[] Announcement { get; private set; } = [];

    internal static LabProcess Start(params string[] options) => Start(new LabEnvironment(), options);

    /// <summary>The same with its own processes, for tests that send signals: a network namespace does not isolate /proc.</summary>
    internal static LabProcess StartIsolated(params string[] options) => Start(new LabEnvironment { OwnProcesses = true }, options);

    internal static LabProcess Start(LabEnvironment environment, params string[] options)
    {
        Namespaces.Require();
        string[] enter = environment.Enter ?? Namespaces.Enter(environment.OwnProcesses, environment.OwnMounts);
        string[] prepare = environment.Preparation.Length == 0 ? [] : ["sh", "-ec", environment.Preparation + "\nexec \"$@\"", "sh"];
        var command = Command.Start([.. enter, .. prepare, Binaries.Lab, "hold", .. options]);
        LabProcess lab = new(command, environment.OwnProcesses, environment.OwnMounts || environment.OwnProcesses);
        try
        {
            lab.Announcement = lab._conversation.ReadUntil("READY");
            lab.Id = environment.OwnProcesses ? OnlyChild(command.Id) : command.Id;
            return lab;
        }
        catch
        {
            lab.Dispose();
            throw;
        }
    }

    /// <summary>The process ids of a role, in the Lab's pid namespace.</summary>
    internal int[] Processes(string role) =>
    [
        .. Announcement
            .Where(line => line.StartsWith("pid=", StringComparison.Ordinal) && line.EndsWith(" role=" + role, StringComparison.Ordinal))
            .Select(line => int.Parse(line.AsSpan(4, line.IndexOf(' ') - 4), CultureInfo.InvariantCulture)),
    ];

    internal string[] Ask(string command) => _conversation.Ask(command);
    internal LabState State() => new(Ask("state"));

    /// <summary>Checks numbers of that state: <c>server aborted=2, processes dead=0</c>.</summary>
    internal void ExpectState(string expected) => Assert.Equal(expected, StateOf(expected));

    /// <summary>The same for peers, who are notified by segments that a busy kernel may deliver later.</summary>
    internal void AwaitState(string expected) => Until.True(() => StateOf(expected) == expected, expected);

    private string StateOf(string items)
    {
        LabState state = State();
        return string.Join(", ", items.Split(", ").Select(static item => item.Split(' ', '=')).Select(item => $"{item[0]} {item[1]}={state[item[0], item[1]]}"));
    }

    internal List<LabHolder> Holders() => [.. Ask("processes").Select(LabHolder.Parse)];
    internal List<LabConnection> List() => [.. Ask("list").Select(LabConnection.Parse)];
    internal List<KernelSocket> Sockets() => KernelSocket.Read(Id);

    internal void WaitEnded(int number)
        => Until.True(() => Ask($"wait-ended {number} 1000") is [var line] && int.Parse(line.AsSpan(6), CultureInfo.InvariantCulture) >= number, $"{number} ends");

    /// <summary>Milliseconds since data was last received, for each established server end, from ss (which omits zeros).</summary>
    internal int[] ReceiveAges() =>
    [
        .. ReceiveClock()
            .Matches(Command.Run([.. Inside(), "ss", "-tinOH", "state", "established", "sport", "=", $":{Port}"]).Stdout)
            .Select(match => int.Parse(match.Groups[1].ValueSpan, CultureInfo.InvariantCulture)),
    ];

    /// <summary>Waits until that many server ends have received no data for that long.</summary>
    internal void WaitIdle(int number, int milliseconds)
        => Until.True(() => ReceiveAges().Count(age => age >= milliseconds) >= number, $"{number} ends idle for {milliseconds} ms");

    /// <summary>Waits until the server ends of a port have received neither data nor an acknowledgement for that long.</summary>
    internal void WaitQuiet(int port, int milliseconds) => Until.True(
        () =>
        {
            string[] lines = Command.Run([.. Inside(), "ss", "-tinOH", "state", "established", "sport", "=", $":{port}"]).Stdout
                .Split('\n', StringSplitOptions.RemoveEmptyEntries);
            return lines.All(line => ReceiveOrAckClock().Matches(line) is { Count: 2 } clocks
                && clocks.All(clock => int.Parse(clock.Groups[1].ValueSpan, CultureInfo.InvariantCulture) >= milliseconds));
        },
        $"{milliseconds} ms of quiet");

    /// <summary>The command prefix that runs a command in the Lab's namespaces.</summary>
    internal string[] Inside() => Namespaces.Join(Id, _ownProcesses, _ownMounts);

    /// <summary>Runs the program in the Lab's namespaces until it exits, without syslog.</summary>
    internal Result Tool(params string[] arguments) => new ToolRun(this) { Arguments = [.. arguments, "--disable-syslog"] }.Run();

    /// <summary>At the end of its stdin the Lab kills its own processes, by their ids.</summary>
    public void Dispose() => _command.End();

    [GeneratedRegex(@"lastrcv:(\d+)")]
    private static partial Regex ReceiveClock();

    [GeneratedRegex(@"last(?:rcv|ack):(\d+)")]
    private static partial Regex ReceiveOrAckClock();

    private static int OnlyChild(int pid)
        => int.Parse(File.ReadAllText($"/proc/{pid}/task/{pid}/children").Trim(), CultureInfo.InvariantCulture);
}

/// <summary>What the Lab has around it, in addition to its own network namespace.</summary>
internal sealed record LabEnvironment
{
    /// <summary>Own pid namespace and /proc: for tests that send signals, because a network namespace does not isolate /proc.</summary>
    internal bool OwnProcesses { get; init; }
    internal bool OwnMounts { get; init; }
    /// <summary>The command prefix that enters existing namespaces; null: the Lab gets new ones.</summary>
    internal string[]? Enter { get; init; }
    /// <summary>Shell commands that run in the namespaces before the Lab starts.</summary>
    internal string Preparation { get; init; } = "";
}

/// <summary>The counts in the output of the Lab's <c>state</c>: <c>state["server", "alive"]</c>.</summary>
internal sealed class LabState
{
    private readonly Dictionary<(string Role, string View), int> _counts = [];

    internal LabState(IEnumerable<string> lines)
    {
        foreach (string line in lines)
        {
            string[] words = line.Split(' ');
            foreach (string[] pair in words.Skip(1).Select(word => word.Split('=')))
            {
                _counts[(words[0], pair[0])] = int.Parse(pair[1], CultureInfo.InvariantCulture);
            }
        }
    }

    /// <summary>Roles: server, client, decoy (both ends), listener, processes.</summary>
    internal int this[string role, string view] => _counts[(role, view)];
}
