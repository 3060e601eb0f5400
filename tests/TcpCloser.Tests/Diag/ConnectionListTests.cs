using System.Runtime.CompilerServices;
using TcpCloser.Diag;
using TcpCloser.Kill;
using TcpCloser.Tests.Support;

namespace TcpCloser.Tests.Diag;

/// <summary>What holds a hundred thousand connections, and finds them by their inodes.</summary>
public sealed class ConnectionListTests
{
    [Fact]
    public void AConnectionTakesSixtyFourBytes() => Assert.Equal(64, Unsafe.SizeOf<Connection>());

    [Fact]
    public void WhatIsAddedStaysInItsPlace()
    {
        ConnectionList list = Connections.Many(10_000);
        ref Connection first = ref list[0];
        Assert.Equal(10_000, list.Count);
        for (int i = 0; i < 10_000; i++)
        {
            Assert.Equal((uint)(100_000 + i), list[i].Inode);
        }

        first.Outcome = Outcome.Failed;
        for (int i = 0; i < 10_000; i++)
        {
            Connection copy = list[i];
            list.Add(in copy);
        }

        Assert.Equal(Outcome.Failed, list[10_000].Outcome);
        Assert.True(Unsafe.AreSame(ref first, ref list[0]));
    }

    [Fact]
    public void AClearedListStartsFromNothing()
    {
        ConnectionList list = Connections.Many(3_000);
        list.Clear();
        list.Begin(FakeNamespace.Silent);
        Assert.Equal(0, list.Count);
        Connection connection = Connections.Of("10.0.0.1:22 10.0.0.2:5");
        list.Add(in connection);
        Assert.Equal(1, list.Count);
        Assert.Equal(12345u, list[0].Inode);
    }

    [Fact]
    public void InodesAreFoundAndZeroIsNobodys()
    {
        ConnectionList list = Connections.Many(5);
        list[1].Inode = 0;
        list[4].Inode = list[2].Inode;
        var index = new InodeIndex(list);
        Assert.Equal([0], index.Connections(100_000));
        Assert.Equal([2, 4], index.Connections(100_002));
        Assert.Empty(index.Connections(0));
        Assert.Empty(index.Connections(7));
        Assert.False(index.Contains(0));
        Assert.True(index.Contains(100_003));
    }
}
