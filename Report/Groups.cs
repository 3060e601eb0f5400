using System.Runtime.InteropServices;
using System.Text;
using TcpCloser.Cli;
using TcpCloser.Diag;
using TcpCloser.Proc;

namespace TcpCloser.Report;

/// <summary>Counts connections by what they have in common.</summary>
/// <param name="by">What that is.</param>
internal sealed class Groups(GroupKey by)
{
    private readonly TextBuffer _text = new();

    /// <summary>The groups of these connections, those with the longest idle first.</summary>
    public List<Group> Count(ConnectionList connections)
    {
        var groups = new Dictionary<string, Group>();
        for (int i = 0; i < connections.Count; i++)
        {
            ReadOnlySpan<byte> key = Key(connections, i);
            ref Group? group = ref CollectionsMarshal.GetValueRefOrAddDefault(groups, Encoding.Latin1.GetString(key), out _);
            group ??= new Group(key.ToArray());
            group.Add(connections[i].IdleMs);
        }

        var sorted = new List<Group>(groups.Values);
        sorted.Sort(Group.CompareByAge);
        return sorted;
    }

    private ReadOnlySpan<byte> Key(ConnectionList connections, int i)
    {
        _text.Clear();
        ref Connection connection = ref connections[i];
        return (by switch
        {
            GroupKey.Port => _text.Add(connections.ListeningPorts!.Of(connections, i)),
            GroupKey.Peer => _text.AddAddress(connections, i, in connection.Destination),
            GroupKey.Process => ProcessKey(connections, i),
            GroupKey.Uid => connection.Inode == 0 ? _text.Add("-"u8) : _text.Add(connection.Uid),
            GroupKey.State => _text.Add(StateList.Name(connection.State)),
            GroupKey.Netns => connections.NamespaceOf(i).Name is { } name ? _text.Add(name) : _text.Add("self"u8),
        }).Written;
    }

    /// <summary>A process; <c>?</c> where one may hold it that could not be seen, <c>-</c> where none does.</summary>
    private TextBuffer ProcessKey(ConnectionList connections, int i)
    {
        uint inode = connections[i].Inode;
        SocketHolder[] owners = connections.Owners?.Of(inode) ?? [];
        return owners.Length > 0 ? _text.Add(owners[0].Comm).Add("["u8).Add((ulong)owners[0].Pid).Add("]"u8)
            : inode != 0 && (connections.Owners is null || connections.Owners.Unreadable.Count > 0) ? _text.Add("?"u8)
            : _text.Add("-"u8);
    }
}
