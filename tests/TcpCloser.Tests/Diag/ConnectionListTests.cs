using System.Runtime.CompilerServices;

namespace TcpCloser.Tests.Diag;

/// <summary>The list that holds a hundred thousand connections, and the index that finds them by inode.</summary>
public sealed class ConnectionListTests
{
    [Fact]
    public void List_ManyConnectionsAdded_KeepsEachInItsPlace()
    {
        ConnectionList list = Connections.Many(10_000);
        ref Connection first = ref list[0];
        first.Outcome = Outcome.Failed;
        Assert.Equal(10_000, list.Count);
        for (int i = 0; i < 10_000; i++)
        {
            Connection copy = list[i];
            Assert.Equal((uint)(100_000 + i), copy.Inode);
            list.Add(in copy);
        }

        Assert.Equal(Outcome.Failed, list[10_000].Outcome);
        Assert.True(Unsafe.AreSame(ref first, ref list[0]));
    }

    [Fact]
    public void List_Cleared_StartsEmpty()
    {
        ConnectionList list = Connections.Many(3_000);
        list.Clear();
        list.Begin(FakeNamespace.Silent);
        Assert.Equal(0, list.Count);
        Connection connection = Connections.Of("10.0.0.1:22 10.0.0.2:5");
        list.Add(in connection);
        Assert.Equal((1, 12345u), (list.Count, list[0].Inode));
    }

    /// <summary>The cgroups are beside the connections, and stay in step with them.</summary>
    [Fact]
    public void Keep_SomeConnections_KeepsTheirCgroups()
    {
        var list = new ConnectionList();
        list.Begin(FakeNamespace.Silent);
        for (int i = 0; i < 5_000; i++)
        {
            Connection connection = Connections.Of("10.0.0.1:22 10.0.0.2:5");
            connection.Outcome = i % 3 == 0 ? Outcome.Pending : Outcome.Spared;
            connection.Inode = (uint)i;
            list.Add(in connection, (ulong)i + 7);
        }

        list.KeepPending();
        Assert.Equal(1_667, list.Count);
        for (int i = 0; i < list.Count; i++)
        {
            Assert.Equal(list[i].Inode + 7ul, list.CgroupOf(i));
        }

        Connection another = Connections.Of("10.0.0.1:22 10.0.0.2:5");
        list.Add(in another);
        Assert.Equal(0u, list.CgroupOf(1_667));
    }

    [Fact]
    public void InodeIndex_InodesOfSeveralConnections_FindsAllButZero()
    {
        ConnectionList list = Connections.Many(5);
        list[1].Inode = 0;
        list[4].Inode = list[2].Inode;
        var index = new InodeIndex(list);
        Assert.Equal([0], index.Connections(100_000));
        Assert.Equal([2, 4], index.Connections(100_002));
        Assert.Empty(index.Connections(0));
        Assert.Empty(index.Connections(7));
        Assert.Equal((false, true), (index.Contains(0), index.Contains(100_003)));
    }
}
