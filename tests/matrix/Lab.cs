using System.Globalization;

namespace TcpCloser.Matrix;

/// <summary>The Lab with its connections established; it ends with this object.</summary>
internal sealed class Lab : IDisposable
{
    private readonly Command _command;
    private readonly Conversation _conversation;
    private readonly Dictionary<int, int> _pidInRow = [];

    internal Lab(IReadOnlyList<string> command)
    {
        _command = Command.Start(command);
        _conversation = new Conversation(_command);
        _conversation.ReadUntil("READY");
        foreach (int[] numbers in Command.Descendants(Id).Select(PidsByNamespace).Where(static numbers => numbers.Length > 1))
        {
            _pidInRow[numbers[^1]] = numbers[1];
        }
    }

    /// <summary>The pid of a process in the network namespace of the connections.</summary>
    internal int Id => _command.Id;

    internal void Send() => _conversation.Ask("send");
    internal List<LabConnection> Connections() => [.. _conversation.Ask("list").Select(LabConnection.Parse)];

    /// <summary>The processes, with their pids in the row's pid namespace; 0: such a process has none there.</summary>
    internal List<LabHolder> Holders() =>
        [.. _conversation.Ask("processes").Select(LabHolder.Parse).Select(holder => holder with { Pid = _pidInRow.GetValueOrDefault(holder.Pid) })];

    public void Dispose() => _command.Dispose();

    /// <summary>The pids of a process, from the pid namespace of this program down to its own; empty once it has ended.</summary>
    private static int[] PidsByNamespace(int pid)
    {
        const string Name = "NSpid:";
        try
        {
            string? line = File.ReadLines($"/proc/{pid}/status").FirstOrDefault(static line => line.StartsWith(Name, StringComparison.Ordinal));
            return line is null ? [] : [.. line[Name.Length..].Split('\t', StringSplitOptions.RemoveEmptyEntries).Select(static number => int.Parse(number, CultureInfo.InvariantCulture))];
        }
        catch (IOException)
        {
            return [];
        }
    }
}
