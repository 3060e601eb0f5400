using System.Buffers.Binary;
using System.Buffers.Text;
using System.Globalization;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text;
using TcpCloser.Diag;
using TcpCloser.Interop;
using TcpCloser.Proc;
using TcpCloser.Rules;

namespace TcpCloser.Kill;

/// <summary>
/// The connections that carry your session: the sockets of this process's ancestors, and the endpoints in SSH_CONNECTION in its own
/// environment and in theirs (sudo(8) removes it from ours). Under tmux and screen, the attached clients and their ancestors also count as
/// ancestors.
/// </summary>
internal sealed class OperatorSession
{
    private readonly HashSet<uint> _inodes = [];
    private readonly List<SessionEnds> _ends = [];
    private bool _hasUnknownAncestor;
    private bool _isLogin;

    public OperatorSession() => AddSshConnection(Environment.GetEnvironmentVariable("SSH_CONNECTION"));

    /// <summary>The ancestors' sockets whose endpoints are unknown.</summary>
    public HashSet<uint> UnfetchedInodes { get; } = [];

    /// <summary>
    /// Whether this is a login session and an ancestor other than process 1, which may hold the session's socket, cannot be inspected.
    /// </summary>
    public bool MayBeUnknown => _hasUnknownAncestor && _isLogin;

    /// <exception cref="SystemCallException">The processes could not be listed.</exception>
    public void Find(IProcessTable table)
    {
        var ancestors = new Ancestors(table);
        _hasUnknownAncestor = ancestors.UnknownErrno != 0;

        // If it is unknown whether there is a terminal, assume that there is one. An ancestor that is visible but cannot be inspected may
        // descend from a login daemon.
        _isLogin = ancestors.UnknownErrno is not (0 or Errno.ENOENT or Errno.ESRCH)
            || table.ReadFile(table.Self, "stat"u8, out byte[] content) != 0
            || !ProcessStat.TryParse(content, out ProcessStat own)
            || own.Terminal != 0;

        // A seccomp filter may kill this process for the call that fetches a socket.
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
            if (ends.Matches(in connection))
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>Adds the processes on those terminals, and their ancestors: the session comes from them.</summary>
    private void AddClients(IProcessTable table, Ancestors ancestors, HashSet<int> terminals)
    {
        foreach (int pid in DescriptorWalk.AllProcesses(table))
        {
            int errno = table.ReadFile(pid, "stat"u8, out byte[] content);
            NoteErrno(pid, errno);
            if (errno == 0 && ProcessStat.TryParse(content, out ProcessStat stat) && stat.Terminal != 0 && terminals.Contains(stat.Terminal))
            {
                _hasUnknownAncestor |= ancestors.Add(table, pid) != 0;
            }
        }
    }

    /// <summary>
    /// Notes that part of an ancestor could not be inspected. A process that has ended does not count: it no longer has a session.
    /// </summary>
    private void NoteErrno(int pid, int errno) => _hasUnknownAncestor |= pid != 1 && errno is not (0 or Errno.ENOENT or Errno.ESRCH);

    /// <param name="pids">The ancestors.</param>
    /// <param name="mayFetch">Whether their sockets may be fetched to read the endpoints.</param>
    /// <param name="terminals">Receives the terminals that a tmux or screen server among them has open; null: not needed.</param>
    private void AddAll(IProcessTable table, IReadOnlyCollection<int> pids, bool mayFetch, HashSet<int>? terminals)
    {
        foreach (int pid in pids)
        {
            // A process whose name cannot be read may be a login daemon, or a tmux or screen server.
            int errno = ProcFile.ReadComm(table, pid, out byte[] comm);
            NoteErrno(pid, errno);
            _isLogin |= errno != 0 || LoginDaemons.IsOne(comm);
            AddEnvironment(table, pid);
            AddSockets(table, pid, mayFetch, comm.AsSpan().StartsWith("tmux"u8) || comm.AsSpan().StartsWith("screen"u8) ? terminals : null);
        }
    }

    private void AddSockets(IProcessTable table, int pid, bool mayFetch, HashSet<int>? terminals)
    {
        using var walk = new DescriptorWalk(table, [pid]);
        using OpenProcess? process = mayFetch ? new OpenProcess(table) : null;
        while (walk.NextProcess())
        {
            while (walk.NextSocket())
            {
                // On some machines, nobody can fetch the sockets of process 1; they do not carry a session.
                if (_inodes.Add(walk.Inode) && !TryAddEnds(table, process, walk.Thread, walk.Fd) && pid != 1)
                {
                    UnfetchedInodes.Add(walk.Inode);
                }
            }

            NoteErrno(pid, walk.Failure.Errno);
        }

        if (terminals is not null)
        {
            NoteErrno(pid, TerminalNumbers.Add(table, pid, terminals));
        }
    }

    /// <summary>Reads the endpoints of a socket; false if it may not be fetched.</summary>
    private bool TryAddEnds(IProcessTable table, OpenProcess? process, int thread, int fd)
    {
        if (process is null)
        {
            return false;
        }

        Failure failure = process.FetchSocket(thread, fd, out int socket);
        if (!failure.IsNone)
        {
            return failure.Errno == Errno.EBADF;
        }

        int errno = table.ReadEndpoints(socket, out SockAddrIn6 local, out SockAddrIn6 remote);
        table.Close(socket);
        if (errno == 0 && SessionEnds.Of(in local, in remote) is { } ends)
        {
            _ends.Add(ends);
        }

        // Unconnected and non-TCP sockets have no endpoints.
        return errno is 0 or Errno.ENOTCONN or Errno.ENOTSOCK;
    }

    private void AddEnvironment(IProcessTable table, int pid)
    {
        NoteErrno(pid, table.ReadFile(pid, "environ"u8, out byte[] environment));
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

/// <summary>The two endpoints of a session's connection: addresses as <see cref="AddressText"/> writes them, ports in host order.</summary>
internal sealed class SessionEnds(string oneAddress, ushort onePort, string otherAddress, ushort otherPort)
{
    /// <summary>The endpoints of a socket by getsockname(2) and getpeername(2); null: it is not a TCP connection.</summary>
    public static SessionEnds? Of(in SockAddrIn6 local, in SockAddrIn6 remote) =>
        local.Family is Socket.AF_INET or Socket.AF_INET6 && remote.Family == local.Family
            ? new SessionEnds(Text(in local), BinaryPrimitives.ReverseEndianness(local.Port), Text(in remote), BinaryPrimitives.ReverseEndianness(remote.Port))
            : null;

    public static SessionEnds Of(in Connection connection) => new(
        AddressText.Format(in connection.Source, connection.Family), connection.SourcePort,
        AddressText.Format(in connection.Destination, connection.Family), connection.DestinationPort);

    /// <summary>Parses SSH_CONNECTION (ssh(1)): client address and port, server address and port; null: the value is invalid.</summary>
    public static SessionEnds? Parse(string sshConnection)
    {
        string[] words = sshConnection.Split(' ');
        return words.Length == 4
            && ushort.TryParse(words[1], NumberStyles.None, CultureInfo.InvariantCulture, out ushort clientPort)
            && ushort.TryParse(words[3], NumberStyles.None, CultureInfo.InvariantCulture, out ushort serverPort)
            ? new SessionEnds(WithoutZone(words[0]), clientPort, WithoutZone(words[2]), serverPort)
            : null;
    }

    /// <summary>Whether the connection has these endpoints, in either direction.</summary>
    public bool Matches(ref readonly Connection connection) =>
        Matches(in connection, (onePort, oneAddress), (otherPort, otherAddress))
        || Matches(in connection, (otherPort, otherAddress), (onePort, oneAddress));

    private static bool Matches(
        ref readonly Connection connection, (ushort Port, string Address) source, (ushort Port, string Address) destination) =>
        connection.SourcePort == source.Port
        && connection.DestinationPort == destination.Port
        && AddressText.Format(in connection.Source, connection.Family) == source.Address
        && AddressText.Format(in connection.Destination, connection.Family) == destination.Address;

    private static string WithoutZone(string address)
    {
        int zone = address.IndexOf('%');
        return zone < 0 ? address : address[..zone];
    }

    private static string Text(ref readonly SockAddrIn6 name)
    {
        if (name.Family == Socket.AF_INET6)
        {
            return AddressText.Format(in name.IPv6Address, Socket.AF_INET6);
        }

        var address = default(Address);
        MemoryMarshal.Write(MemoryMarshal.CreateSpan(ref Unsafe.As<Address, byte>(ref address), sizeof(uint)), in name.IPv4Address);
        return AddressText.Format(in address, Socket.AF_INET);
    }
}

/// <summary>The terminals that a process has open, as /proc/PID/stat numbers them (tty_nr).</summary>
internal static class TerminalNumbers
{
    /// <summary>UNIX98_PTY_SLAVE_MAJOR (linux/major.h); 256 pseudo-terminals to a major number.</summary>
    private const int PtyMajor = 136;

    /// <summary>TTY_MAJOR.</summary>
    private const int ConsoleMajor = 4;

    /// <summary>Adds the terminals of a process. Returns 0, or the errno if some may be missing.</summary>
    public static int Add(IProcessTable table, int pid, HashSet<int> numbers)
    {
        int errno = table.OpenDescriptors(pid, out int directory);
        if (errno != 0)
        {
            return errno;
        }

        var fds = new List<int>();
        Span<byte> target = stackalloc byte[32];
        errno = table.ListDescriptors(directory, fds);
        foreach (int fd in fds)
        {
            int readErrno = table.ReadDescriptor(directory, fd, target, out int length);
            if (length > 0 && NumberOf(target[..length]) is { } number)
            {
                numbers.Add(number);
            }

            errno = readErrno is not (0 or Errno.ENOENT) ? readErrno : errno;
        }

        table.Close(directory);
        return errno;
    }

    private static int? NumberOf(ReadOnlySpan<byte> path) =>
        TryNumber(path, "/dev/pts/"u8, out int pty) ? PtyMajor + pty / 256 << 8 | pty % 256
        : TryNumber(path, "/dev/tty"u8, out int console) ? ConsoleMajor << 8 | console
        : null;

    private static bool TryNumber(ReadOnlySpan<byte> path, ReadOnlySpan<byte> prefix, out int number)
    {
        number = 0;
        return path.StartsWith(prefix) && Utf8Parser.TryParse(path[prefix.Length..], out number, out int used) && used == path.Length - prefix.Length;
    }
}
