using TcpCloser.Diag;
using TcpCloser.Interop;
using TcpCloser.Kill;
using TcpCloser.Proc;
using TcpCloser.Tests.Support;

namespace TcpCloser.Tests.Kill;

/// <summary><c>--method auto</c>: destroy, and disconnect what that cannot end.</summary>
public sealed class AutoMethodTests
{
    private RecordingSink _sink = new(new ConnectionList());

    [Fact]
    public void WhatCanBeDestroyedIsNotFetched()
    {
        FakeHost host = Host(0, owners: 2);
        Assert.Equal(["Destroyed", "Destroyed"], Close(host));
        Assert.DoesNotContain("open proc", host.Faults.Calls);
        Assert.Empty(_sink.Problems);
    }

    /// <summary>Where the second way works, it is not worth a word that the first is closed.</summary>
    [Theory]
    [InlineData(Errno.EPERM)]
    [InlineData(Errno.EOPNOTSUPP)]
    public void WhatCannotIsDisconnected(int errno)
    {
        Assert.Equal(["Disconnected", "Disconnected"], Close(Host(errno, owners: 2)));
        Assert.Empty(_sink.Problems);
    }

    [Theory]
    [InlineData(Errno.EPERM)]
    [InlineData(Errno.EOPNOTSUPP)]
    public void WhereNeitherWorksBothAreTold(int errno)
    {
        FakeHost host = Host(errno, owners: 2);
        host.Faults.Errno = static (call, _) => call == "fetch socket" ? Errno.EPERM : 0;
        Assert.Equal(["Failed", "Failed"], Close(host));
        Assert.Equal(
            [(Operation.FetchSocket, Errno.EPERM), (Operation.DestroySocket, errno)],
            _sink.Problems.Select(static problem => (problem.Operation, problem.Errno)));
    }

    /// <summary>One of two without an owner: of the destroy it is told, because that would not have needed one.</summary>
    [Fact]
    public void OneWithoutAnOwner()
    {
        FakeHost host = Host(Errno.EPERM, owners: 2);
        host.Processes[0].Descriptors.Remove(3);
        Assert.Equal(["NoOwner", "Disconnected"], Close(host));
        Assert.Equal([(Operation.DestroySocket, Errno.EPERM, null)], _sink.Problems);
    }

    /// <summary>Without a /proc the second way ends in an exception; what closed the first is told all the same.</summary>
    [Fact]
    public void WithoutAProc()
    {
        FakeHost host = Host(Errno.EPERM, owners: 1);
        host.Faults.Errno = static (call, _) => call == "open proc" ? Errno.ENOENT : 0;
        Assert.Throws<SystemCallException>(() => Close(host));
        Assert.Equal([(Operation.DestroySocket, Errno.EPERM, null)], _sink.Problems);
    }

    [Fact]
    public void ItEndsWholeConnectionsOfMptcp()
    {
        var host = new FakeHost();
        var scene = new ServerScene(host);
        (FakeTcp[] whole, _) = scene.AddMptcp(scene.Worker);
        Assert.True(Auto(host).EndsWholeMptcp);
        Assert.Equal(["Disconnected", "Disconnected", "Destroyed"], Close(host, [.. whole, scene.One]));
        Assert.Empty(_sink.Problems);
    }

    private static FakeHost Host(int destroyErrno, int owners)
    {
        var host = new FakeHost { DestroyErrno = destroyErrno };
        for (uint i = 0; i < owners; i++)
        {
            host.Add(
                new FakeTcp(new DumpedSocket { Inode = 500 + i, Cookie = 900 + i, DestinationPort = (ushort)(1_000 + i) }),
                host.Add(new FakeProcess(200 + (int)i)));
        }

        return host;
    }

    private static AutoMethod Auto(FakeHost host) => new(
        new SockDestroyer(new SocketDump(), host.Network, leavesUnsupported: true), new SocketDisconnector(new SocketDump(), host.OpenProcesses, new SearchOrder()));

    private string[] Close(FakeHost host, params FakeTcp[] sockets)
    {
        ConnectionList candidates = host.Candidates(sockets);
        _sink = new RecordingSink(candidates);
        Auto(host).Close(candidates, _sink, static () => false);
        _sink.AssertAllTold();
        Assert.Equal(0, host.AllLeftOpen);
        return [.. Enumerable.Range(0, candidates.Count).Select(i => candidates[i].Outcome.ToString())];
    }
}
