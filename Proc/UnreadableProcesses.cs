using TcpCloser.Interop;

namespace TcpCloser.Proc;

/// <summary>Processes that could not be looked at, and why: the first of them stands for all.</summary>
internal sealed class UnreadableProcesses
{
    public int Count { get; private set; }

    public int FirstPid { get; private set; }

    public Operation Operation { get; private set; }

    public int Errno { get; private set; }

    public void Add(int pid, Operation operation, int errno)
    {
        if (Count++ == 0)
        {
            FirstPid = pid;
            Operation = operation;
            Errno = errno;
        }
    }

    /// <summary>In words for a line: <c>of process 1</c>, <c>of process 1 and 3 others</c>.</summary>
    public string Subject => Count > 1 ? $"of process {FirstPid} and {Count - 1} others" : $"of process {FirstPid}";
}
