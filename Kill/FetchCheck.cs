using TcpCloser.Interop;
using TcpCloser.Proc;

namespace TcpCloser.Kill;

/// <summary>Whether the sockets of every process may be found and fetched: asked of each by a descriptor number that none has.</summary>
internal static class FetchCheck
{
    private const int NoDescriptor = int.MaxValue;

    public static Ability Run(string name, Func<IProcessTable> openProcesses, IReadOnlyList<uint> uids) =>
        OwnerCheck.Run(name, openProcesses, uids, Ask);

    private static (Operation Operation, int Errno) Ask(IProcessTable table, int pid)
    {
        int process = table.OpenProcess(pid);
        if (process < 0)
        {
            return (Operation.OpenProcess, -process);
        }

        int fetched = table.FetchSocket(process, NoDescriptor);
        table.Close(process);
        return (Operation.FetchSocket, fetched is -Errno.EBADF or >= 0 ? 0 : -fetched);
    }
}
