using System.Runtime.InteropServices;
using TcpCloser.Cli;
using TcpCloser.Diag;
using TcpCloser.Interop;
using TcpCloser.Proc;

namespace TcpCloser.Report;

/// <summary>Counts connections by what they have in common.</summary>
/// <param name="by">What that is.</param>
internal sealed class Groups(GroupKey by)
{
    /// <summary>By a number that stands for the key, so that no text is made for each of a hundred thousand connections.</summary>
    private readonly Dictionary<(ulong High, ulong Low), Group> _groups = [];

    private readonly TextBuffer _text = new();

    /// <summary>The groups of these connections, those with the longest idle first.</summary>
    public List<Group> Count(ConnectionList connections)
    {
        _groups.Clear();
        for (int i = 0; i < connections.Count; i++)
        {
            ref Group? group = ref CollectionsMarshal.GetValueRefOrAddDefault(_groups, Key(connections, i), out _);
            group ??= new Group(Text(connections, i));
            group.Add(connections[i].IdleMs);
        }

        var sorted = new List<Group>(_groups.Values);
        sorted.Sort(Group.CompareByAge);
        return sorted;
    }

    private (ulong High, ulong Low) Key(ConnectionList connections, int i)
    {
        ref Connection connection = ref connections[i];
        return by switch
        {
            GroupKey.Port => (0, connections.ListeningPorts!.Of(connections, i)),
            GroupKey.Peer => AddressKey(in connection),
            GroupKey.Process => ProcessKey(connections, i),
            GroupKey.Uid => connection.Inode == 0 ? (1UL, 0UL) : (0UL, connection.Uid),
            GroupKey.State => (0, connection.State),
            GroupKey.Netns => (0, (ulong)connections.PartOf(i)),
        };
    }

    /// <summary>A process; or, where none was found, whether there can be none.</summary>
    private static (ulong High, ulong Low) ProcessKey(ConnectionList connections, int i)
    {
        uint inode = connections[i].Inode;
        IReadOnlyList<SocketHolder> owners = connections.Owners?.Of(inode) ?? [];
        return owners.Count > 0 ? (0UL, (ulong)owners[0].Pid) : (1UL, IsUnknown(connections, inode) ? 1UL : 0UL);
    }

    private static (ulong High, ulong Low) AddressKey(ref readonly Connection connection)
    {
        ReadOnlySpan<ulong> words = MemoryMarshal.Cast<byte, ulong>(Address.Bytes(in connection.Destination));
        // An IPv4 address is the same peer on a socket of either family.
        return connection.Family == Socket.AF_INET6 && connection.IsIPv4 ? (0, words[1] >> 32) : (words[1], words[0]);
    }

    private static bool IsUnknown(ConnectionList connections, uint inode) =>
        inode != 0 && (connections.Owners is null || connections.Owners.Unreadable.Count > 0);

    private byte[] Text(ConnectionList connections, int i)
    {
        _text.Clear();
        ref Connection connection = ref connections[i];
        TextBuffer text = by switch
        {
            GroupKey.Port => _text.Add(connections.ListeningPorts!.Of(connections, i)),
            GroupKey.Peer => _text.AddAddress(connections, i, in connection.Destination),
            GroupKey.Process => ProcessText(connections, i),
            GroupKey.Uid => connection.Inode == 0 ? _text.Add("-"u8) : _text.Add(connection.Uid),
            GroupKey.State => _text.Add(StateList.Name(connection.State)),
            GroupKey.Netns => connections.NamespaceOf(i).Name is { } name ? _text.Add(name) : _text.Add("self"u8),
        };
        return text.Written.ToArray();
    }

    private TextBuffer ProcessText(ConnectionList connections, int i)
    {
        uint inode = connections[i].Inode;
        IReadOnlyList<SocketHolder> owners = connections.Owners?.Of(inode) ?? [];
        return owners.Count > 0 ? _text.Add(owners[0].Comm).Add("["u8).Add((ulong)owners[0].Pid).Add("]"u8)
            : IsUnknown(connections, inode) ? _text.Add("?"u8)
            : _text.Add("-"u8);
    }
}
