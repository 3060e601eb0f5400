using System.Buffers;
using System.Buffers.Text;
using TcpCloser.Diag;
using TcpCloser.Proc;
using TcpCloser.Rules;

namespace TcpCloser.Kill;

/// <summary>The keys of <c>--group-by</c> and <c>--keep</c>: connections with the same key are in the same group.</summary>
internal sealed class GroupKeys
{
    private readonly GroupKey _by;
    private readonly RoundContext _round;
    private readonly ListeningPorts? _ports;
    private readonly ArrayBufferWriter<byte> _key = new();

    /// <param name="round">The context for looking up ports and processes.</param>
    /// <param name="lists">The connections.</param>
    /// <exception cref="SystemCallException">The listeners could not be listed.</exception>
    public GroupKeys(GroupKey by, RoundContext round, params ReadOnlySpan<ConnectionList> lists)
    {
        (_by, _round) = (by, round);
        _ports = by == GroupKey.Port ? new ListeningPorts(round.Dump, lists) : null;
    }

    /// <summary>Whether the key is about the processes that hold the socket, which have to be found first.</summary>
    public static bool NeedsHolders(GroupKey by) => by is GroupKey.Process or GroupKey.Command;

    /// <summary>
    /// The key of a connection as text, valid until the next call. It may contain the name of a process, a device or a namespace, which may
    /// be any bytes.
    /// </summary>
    public ReadOnlySpan<byte> Of(ConnectionList connections, int i)
    {
        _key.ResetWrittenCount();
        ref Connection connection = ref connections[i];
        return (_by switch
        {
            GroupKey.Port => Add(_ports!.Of(connections, i)),
            GroupKey.Peer => Peer(connections, i),
            GroupKey.Process => Process(connection.Inode, isNameOnly: false),
            GroupKey.Command => Process(connection.Inode, isNameOnly: true),
            GroupKey.Uid => connection.Inode == 0 ? Add("-"u8) : Add(connection.Uid),
            GroupKey.Unit => Cgroup(_round.NameOfCgroup(connections, i), static name => name.Container.Length > 0 ? name.Container : name.Unit),
            GroupKey.Pod => Cgroup(_round.NameOfCgroup(connections, i), static name => name.Pod),
            GroupKey.State => Add(StateSet.Name(connection.State)),
            GroupKey.Netns => connections.NamespaceOf(i).Label(_round.Cgroups) is { } name ? Add(name) : Add("self"u8),
        }).WrittenSpan;
    }

    /// <summary>The remote address, with <c>%dev</c> if it is link-local.</summary>
    private ArrayBufferWriter<byte> Peer(ConnectionList connections, int i)
    {
        ref Connection connection = ref connections[i];
        _key.Advance(AddressText.Write(_key.GetSpan(AddressText.MaxLength), in connection.Destination, connection.Family));
        uint device = connection.DeviceOf(in connection.Destination);
        if (device == 0)
        {
            return _key;
        }

        byte[] name = connections.NamespaceOf(i).DeviceName(device);
        Add("%"u8);
        return name.Length > 0 ? Add(name) : Add(device);
    }

    /// <summary>The first holder; <c>?</c>: it is not visible here; <c>-</c>: there is none.</summary>
    private ArrayBufferWriter<byte> Process(uint inode, bool isNameOnly)
    {
        SocketHolder[] holders = _round.Holders.Of(inode);
        if (holders.Length == 0)
        {
            return inode != 0 ? Add("?"u8) : Add("-"u8);
        }

        Add(holders[0].Comm);
        if (isNameOnly)
        {
            return _key;
        }

        Add("["u8);
        Add((uint)holders[0].Pid);
        return Add("]"u8);
    }

    /// <summary>A name of the cgroup; <c>?</c>: the cgroup is unknown; <c>-</c>: it has no such name.</summary>
    private ArrayBufferWriter<byte> Cgroup(CgroupName name, Func<CgroupName, byte[]> select) =>
        !name.IsKnown ? Add("?"u8)
        : select(name) is { Length: > 0 } text ? Add(text)
        : Add("-"u8);

    private ArrayBufferWriter<byte> Add(ReadOnlySpan<byte> text)
    {
        _key.Write(text);
        return _key;
    }

    private ArrayBufferWriter<byte> Add(uint number)
    {
        const int MaxDigits = 10;
        Utf8Formatter.TryFormat(number, _key.GetSpan(MaxDigits), out int written);
        _key.Advance(written);
        return _key;
    }
}
