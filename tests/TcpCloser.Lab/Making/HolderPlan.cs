namespace TcpCloser.Lab.Making;

/// <summary>Which process gets which connections: each a block of successive indexes, as even as can be.</summary>
internal sealed class HolderPlan
{
    /// <summary>Descriptors a process needs for itself.</summary>
    private const int Reserve = 200;

    private readonly List<(ChildProcess Process, int First, int End)> _blocks = [];

    /// <summary>Starts the processes: as many as asked for, or more where one may not open so many files.</summary>
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

    /// <summary>The process that gets the connection, and the first index that is no longer its own.</summary>
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
