namespace TcpCloser.Fuzz;

/// <summary>A process table whose texts are sometimes damaged.</summary>
internal sealed class DamagedProcesses(IProcessTable intact, Dice dice) : IProcessTable
{
    private const int DamagedOneIn = 12;
    private static readonly byte[] s_other = "socket:[1001] socket:[4294967296]\n18446744073709551615 -1 /dev/pts/2147483647 SSH_CONNECTION=\0"u8.ToArray();
    private readonly Mutator _mutator = new(dice);

    public int Self => intact.Self;
    public bool IsInInitialPidNamespace => intact.IsInInitialPidNamespace;
    public bool IsInInitialNetworkNamespace => intact.IsInInitialNetworkNamespace;
    public uint? OverflowUid => intact.OverflowUid;
    public int ListProcesses(List<int> pids) => intact.ListProcesses(pids);

    public int ReadFile(int pid, ReadOnlySpan<byte> name, out byte[] content)
    {
        int errno = intact.ReadFile(pid, name, out content);
        content = errno == 0 && dice.OneIn(DamagedOneIn) ? _mutator.Damage(content, s_other) : content;
        return errno;
    }

    public ulong NetworkNamespaceOf(int pid) => intact.NetworkNamespaceOf(pid);
    public int ReadExecutable(int pid, Span<byte> target, out int length) => intact.ReadExecutable(pid, target, out length);
    public int ReadSummary(int pid, out uint user, out ulong descriptors) => intact.ReadSummary(pid, out user, out descriptors);
    public int ListThreads(int pid, List<int> threads) => intact.ListThreads(pid, threads);
    public int CompareDescriptors(int thread, int other, out int order) => intact.CompareDescriptors(thread, other, out order);
    public int OpenDescriptors(int pid, int thread, out int directory) => intact.OpenDescriptors(pid, thread, out directory);
    public int ListDescriptors(int directory, List<int> fds) => intact.ListDescriptors(directory, fds);

    public int ReadDescriptor(int directory, int fd, Span<byte> target, out int length)
    {
        int errno = intact.ReadDescriptor(directory, fd, target, out length);
        if (errno != 0 || length == 0 || !dice.OneIn(DamagedOneIn))
        {
            return errno;
        }

        byte[] damaged = _mutator.Damage(target[..length].ToArray(), s_other);
        length = Math.Min(damaged.Length, target.Length);
        damaged.AsSpan(0, length).CopyTo(target);
        return 0;
    }

    public int TryProbe() => intact.TryProbe();
    public int OpenProcess(int pid, out int process) => intact.OpenProcess(pid, out process);
    public int FetchSocket(int process, int fd, out int socket) => intact.FetchSocket(process, fd, out socket);
    public int ReadCookie(int socket, out ulong cookie) => intact.ReadCookie(socket, out cookie);
    public int ReadOption(int socket, int level, int option, out int value) => intact.ReadOption(socket, level, option, out value);
    public int SetOption(int socket, int level, int option, int value) => intact.SetOption(socket, level, option, value);
    public int ReadTcpInfo(int socket, Span<byte> info, out int length) => intact.ReadTcpInfo(socket, info, out length);
    public int ReadEndpoints(int socket, out SockAddrIn6 local, out SockAddrIn6 remote) => intact.ReadEndpoints(socket, out local, out remote);
    public int Disconnect(int socket) => intact.Disconnect(socket);
    public int SendSignal(int process, int pid, int signal) => intact.SendSignal(process, pid, signal);
    public void Close(int handle) => intact.Close(handle);
    public void Dispose() => intact.Dispose();
}
