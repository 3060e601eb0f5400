namespace TcpCloser.Lab.Making;

/// <summary>Assigns connections to processes: each gets a block of consecutive indexes, as even as possible.</summary>
internal sealed class HolderPlan
{
    private const int Reserve = 200;

    private readonly List<(ChildProcess Process, int First, int End)> _blocks = [];

    /// <summary>Starts the processes: as many as requested, or more if one cannot open that many files.</summary>
    internal static HolderPlan Start(string role, int count, int processes, int descriptorsPerConnection, int openFiles, Func<string, ChildProcess> start)
    {
        int capacity = Math.Max(1, (openFiles - Reserve) / descriptorsPerConnection);
        processes = Math.Max(processes, (count + capacity - 1) / capacity);
        HolderPlan plan = new();
        for (int i = 0; i < processes; i++)
        {
            plan._blocks.Add((start(role), (int)((long)count * i / processes), (int)((long)count * (i + 1) / processes)));
        }

        return plan;
    }

    /// <summary>The process that gets the connection, and the index after its block.</summary>
    internal (ChildProcess Process, int End) For(int index)
    {
        foreach (var (process, first, end) in _blocks)
        {
            if (index >= first && index < end)
            {
                return (process, end);
            }
        }
        throw new LabException($"no process for connection {index}");
    }

    internal IEnumerable<ChildProcess> Processes => _blocks.ConvertAll(block => block.Process);
}
