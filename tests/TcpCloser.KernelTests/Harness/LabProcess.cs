using System.Globalization;
using System.Text.RegularExpressions;

namespace TcpCloser.KernelTests.Harness;

/// <summary>The Lab in a new network namespace, with its connections established.</summary>
internal sealed partial class LabProcess : IDisposable
{
    /// <summary>The default listening port.</summary>
    internal const int Port = 5000;

    /// <summary>The same as an argument.</summary>
    internal const string PortText = "5000";

    /// <summary>The port of the decoy connections.</summary>
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

    /// <summary>Starts the Lab in its own network namespace.</summary>
    internal static LabProcess Start(params string[] options) => Start(new LabEnvironment(), options);

    /// <summary>The same with its own processes, for tests that send signals: a network namespace does not isolate /proc.</summary>
    internal static LabProcess StartIsolated(params string[] options) => Start(new LabEnvironment { OwnProcesses = true }, options);

    /// <summary>Starts the Lab in the given environment.</summary>
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

    /// <summary>Sends a command and returns the lines of the answer.</summary>
    internal string[] Ask(string command) => _conversation.Ask(command);

    internal LabState State() => new(Ask("state"));

    internal List<LabHolder> Holders() => [.. Ask("processes").Select(LabHolder.Parse)];

    internal List<LabConnection> List() => [.. Ask("list").Select(LabConnection.Parse)];

    /// <summary>The sockets that the kernel lists in the Lab's network namespace.</summary>
    internal List<KernelSocket> Sockets() => KernelSocket.Read(Id);

    /// <summary>Waits until that many of the tested ends have ended.</summary>
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

    public void Dispose()
    {
        if (!_command.HasExited)
        {
            try
            {
                _command.CloseStdin(); // the Lab then kills its own processes, by their ids
                _command.WaitForEnd();
            }
            catch (Exception failure) when (failure is TimeoutException or IOException)
            {
                // Disposing kills the Lab, and the kernel kills its processes with it.
            }
        }
        _command.Dispose();
    }

    [GeneratedRegex(@"lastrcv:(\d+)")]
    private static partial Regex ReceiveClock();

    [GeneratedRegex(@"last(?:rcv|ack):(\d+)")]
    private static partial Regex ReceiveOrAckClock();

    private static int OnlyChild(int pid)
        => int.Parse(File.ReadAllText($"/proc/{pid}/task/{pid}/children").Trim(), CultureInfo.InvariantCulture);
}
