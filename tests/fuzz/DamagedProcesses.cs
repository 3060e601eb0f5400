using TcpCloser.Interop;
using TcpCloser.Proc;

namespace TcpCloser.Fuzz;

/// <summary>A table of processes whose texts are damaged now and then.</summary>
/// <param name="whole">The table.</param>
/// <param name="dice">Says which.</param>
internal sealed class DamagedProcesses(IProcessTable whole, Dice dice) : IProcessTable
{
    private const int OneInSoMany = 12;

    private static readonly byte[] s_other = "socket:[1001] socket:[4294967296]\n18446744073709551615 -1 /dev/pts/2147483647 SSH_CONNECTION=\0"u8.ToArray();

    private readonly Mutator _mutator = new(dice);

    public int Self => whole.Self;

    public int ListProcesses(List<int> pids) => whole.ListProcesses(pids);

    public int ReadFile(int pid, ReadOnlySpan<byte> name, out byte[] content)
    {
        int errno = whole.ReadFile(pid, name, out content);
        content = errno == 0 && dice.OneIn(OneInSoMany) ? _mutator.Damage(content, s_other) : content;
        return errno;
    }

    public ulong NetworkNamespaceOf(int pid) => whole.NetworkNamespaceOf(pid);

    public int Look(int pid, out uint user, out ulong descriptors) => whole.Look(pid, out user, out descriptors);

    public int OpenDescriptors(int pid) => whole.OpenDescriptors(pid);

    public int ListDescriptors(int folder, List<int> fds) => whole.ListDescriptors(folder, fds);

    public int ReadDescriptor(int folder, int fd, Span<byte> target)
    {
        int length = whole.ReadDescriptor(folder, fd, target);
        if (length <= 0 || !dice.OneIn(OneInSoMany))
        {
            return length;
        }

        byte[] damaged = _mutator.Damage(target[..length].ToArray(), s_other);
        length = Math.Min(damaged.Length, target.Length);
        damaged.AsSpan(0, length).CopyTo(target);
        return length;
    }

    public int OpenProcess(int pid) => whole.OpenProcess(pid);

    public int FetchSocket(int process, int fd) => whole.FetchSocket(process, fd);

    public int ReadCookie(int socket, out ulong cookie) => whole.ReadCookie(socket, out cookie);

    public int ReadOption(int socket, int level, int option, out int value) => whole.ReadOption(socket, level, option, out value);

    public int SetOption(int socket, int level, int option, int value) => whole.SetOption(socket, level, option, value);

    public int ReadTcpInfo(int socket, Span<byte> info) => whole.ReadTcpInfo(socket, info);

    public int ReadEnds(int socket, out SockAddrIn6 local, out SockAddrIn6 remote) => whole.ReadEnds(socket, out local, out remote);

    public int Disconnect(int socket) => whole.Disconnect(socket);

    public int SendSignal(int process, int pid, int signal) => whole.SendSignal(process, pid, signal);

    public void Close(int handle) => whole.Close(handle);

    public void Dispose() => whole.Dispose();
}
