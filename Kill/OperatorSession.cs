using System.Text;
using TcpCloser.Diag;
using TcpCloser.Interop;
using TcpCloser.Proc;

namespace TcpCloser.Kill;

/// <summary>
/// What carries the session in which this program runs: the sockets of its ancestors, and what SSH_CONNECTION names in its own
/// and in their environment (sudo(8) takes it away from ours). Below tmux and screen the clients that are attached, and the
/// processes that those come from, count as ancestors.
/// </summary>
internal sealed class OperatorSession
{
    private readonly HashSet<uint> _inodes = [];
    private readonly List<SessionEnds> _ends = [];
    private bool _hasUnknownAncestor;
    private bool _isLogin;

    public OperatorSession() => AddSshConnection(Environment.GetEnvironmentVariable("SSH_CONNECTION"));

    /// <summary>The ancestors' sockets of which it is not known between what they are.</summary>
    public HashSet<uint> UnfetchedInodes { get; } = [];

    /// <summary>
    /// Whether somebody logged in here, and an ancestor other than process 1 cannot be looked at, which may hold the session's socket.
    /// </summary>
    public bool MayBeUnknown => _hasUnknownAncestor && _isLogin;

    /// <exception cref="SystemCallException">The processes could not be listed.</exception>
    public void Find(IProcessTable table)
    {
        var ancestors = new Ancestors(table);
        _hasUnknownAncestor = ancestors.UnknownErrno != 0;

        // Where it cannot be known whether there is a terminal, there may be one; and an ancestor that cannot be looked at, without being
        // hidden, may come from a login daemon.
        _isLogin = ancestors.UnknownErrno is not (0 or Errno.ENOENT or Errno.ESRCH)
            || table.ReadFile(table.Self, "stat"u8, out byte[] content) != 0
            || !ProcessStat.TryParse(content, out ProcessStat own)
            || own.Terminal != 0;

        // A filter may kill us for the call that fetches a socket.
        bool mayFetch = table.ReadFile(table.Self, "status"u8, out content) == 0 && !ProcessStatus.Parse(content).IsFiltered;
        var terminals = new HashSet<int>();
        AddAll(table, ancestors.Pids, mayFetch, terminals);
        if (terminals.Count > 0)
        {
            AddClients(table, ancestors, terminals);
            AddAll(table, ancestors.Pids, mayFetch, terminals: null);
        }
    }

    public void AddEnds(SessionEnds ends) => _ends.Add(ends);

    public bool Has(ref readonly Connection connection)
    {
        if (connection.Inode != 0 && _inodes.Contains(connection.Inode))
        {
            return true;
        }

        foreach (SessionEnds ends in _ends)
        {
            if (ends.Are(in connection))
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>The processes on those terminals, and their ancestors, are where the session comes from.</summary>
    private void AddClients(IProcessTable table, Ancestors ancestors, HashSet<int> terminals)
    {
        foreach (int pid in DescriptorWalk.AllProcesses(table))
        {
            int errno = table.ReadFile(pid, "stat"u8, out byte[] content);
            Note(pid, errno);
            if (errno == 0 && ProcessStat.TryParse(content, out ProcessStat stat) && stat.Terminal != 0 && terminals.Contains(stat.Terminal))
            {
                _hasUnknownAncestor |= ancestors.Add(table, pid) != 0;
            }
        }
    }

    /// <summary>Notes that something of an ancestor could not be looked at; what is gone has no session any more.</summary>
    private void Note(int pid, int errno) => _hasUnknownAncestor |= pid != 1 && errno is not (0 or Errno.ENOENT or Errno.ESRCH);

    /// <param name="table">Where the processes are.</param>
    /// <param name="pids">The ancestors.</param>
    /// <param name="mayFetch">Whether their sockets may be fetched, to see between what they are.</param>
    /// <param name="terminals">Takes the terminals that a tmux or screen server among them has open; null: not asked for.</param>
    private void AddAll(IProcessTable table, IReadOnlyCollection<int> pids, bool mayFetch, HashSet<int>? terminals)
    {
        foreach (int pid in pids)
        {
            // One whose name cannot be read may be a login daemon, or a server that has clients.
            int errno = ProcFile.ReadComm(table, pid, out byte[] comm);
            Note(pid, errno);
            _isLogin |= errno != 0 || LoginDaemons.IsOne(comm);
            AddEnvironment(table, pid);
            AddSockets(table, pid, mayFetch, comm.AsSpan().StartsWith("tmux"u8) || comm.AsSpan().StartsWith("screen"u8) ? terminals : null);
        }
    }

    private void AddSockets(IProcessTable table, int pid, bool mayFetch, HashSet<int>? terminals)
    {
        using var walk = new DescriptorWalk(table, [pid]);
        int process = mayFetch ? table.OpenProcess(pid) : -1;
        while (walk.NextProcess())
        {
            while (walk.NextSocket())
            {
                // On some machines the sockets of process 1 cannot be fetched by anybody, and no session comes through them.
                if (_inodes.Add(walk.Inode) && !TryAddEnds(table, process, walk.Fd) && pid != 1)
                {
                    UnfetchedInodes.Add(walk.Inode);
                }
            }

            Note(pid, walk.Errno);
        }

        if (terminals is not null)
        {
            Note(pid, TerminalNumbers.Add(table, pid, terminals));
        }

        if (process >= 0)
        {
            table.Close(process);
        }
    }

    /// <summary>Finds out between what a socket is; false where it may not be fetched.</summary>
    private bool TryAddEnds(IProcessTable table, int process, int fd)
    {
        int socket = process < 0 ? process : table.FetchSocket(process, fd);
        if (socket < 0)
        {
            return socket == -Errno.EBADF;
        }

        int errno = table.ReadEnds(socket, out SockAddrIn6 local, out SockAddrIn6 remote);
        table.Close(socket);
        if (errno == 0 && SessionEnds.Of(in local, in remote) is { } ends)
        {
            _ends.Add(ends);
        }

        // What is not connected, or no TCP, is between nothing.
        return errno is 0 or Errno.ENOTCONN or Errno.ENOTSOCK;
    }

    private void AddEnvironment(IProcessTable table, int pid)
    {
        Note(pid, table.ReadFile(pid, "environ"u8, out byte[] environment));
        ReadOnlySpan<byte> name = "SSH_CONNECTION="u8;
        foreach (Range range in environment.AsSpan().Split((byte)0))
        {
            ReadOnlySpan<byte> variable = environment.AsSpan(range);
            if (variable.StartsWith(name))
            {
                AddSshConnection(Encoding.UTF8.GetString(variable[name.Length..]));
            }
        }
    }

    private void AddSshConnection(string? value)
    {
        if (value is not null && SessionEnds.Parse(value) is { } ends)
        {
            _ends.Add(ends);
        }
    }
}
