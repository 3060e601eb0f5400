namespace TcpCloser.Tests.Kill;

/// <summary><c>--method auto</c>: destroys, and disconnects what the kernel does not destroy.</summary>
public sealed class AutoMethodTests : StepTestBase
{
    [Fact]
    public void Auto_DestroyWorks_FetchesNoSocket()
    {
        AddOwners(0, owners: 2);
        Assert.Equal(["Destroyed", "Destroyed"], Close());
        Assert.DoesNotContain("open proc", Host.Faults.Calls);
        Assert.Empty(Sink.Problems);
    }

    /// <summary>A refused destroy is reported only if disconnect fails as well.</summary>
    [Theory]
    [Values(Errno.EPERM, Errno.EOPNOTSUPP)]
    public void Auto_DestroyRefused_DisconnectsAndReportsNothing(int errno)
    {
        AddOwners(errno, owners: 2);
        Assert.Equal(["Disconnected", "Disconnected"], Close());
        Assert.Empty(Sink.Problems);
    }

    [Theory]
    [Values(Errno.EPERM, Errno.EOPNOTSUPP)]
    public void Auto_DestroyAndFetchRefused_ReportsBoth(int errno)
    {
        AddOwners(errno, owners: 2);
        Host.Faults.Fail("fetch socket", Errno.EPERM);
        Assert.Equal(["Failed", "Failed"], Close());
        Assert.Equal(
            [(Operation.FetchSocket, Errno.EPERM), (Operation.DestroySocket, errno)],
            Sink.Problems.Select(static problem => (problem.Operation, problem.Errno)));
    }

    /// <summary>One of the two has no holder: destroy would not have needed one, so its refusal is reported.</summary>
    [Fact]
    public void Auto_DestroyRefusedAndOneSocketUnheld_ReportsTheRefusedDestroy()
    {
        AddOwners(Errno.EPERM, owners: 2);
        Host.Processes[0].Descriptors.Remove(3);
        Assert.Equal(["NoOwner", "Disconnected"], Close());
        Assert.Equal([(Operation.DestroySocket, Errno.EPERM, null)], Sink.Problems);
    }

    /// <summary>A socket without a holder can only be destroyed: why that failed is reported, even if it is the only socket.</summary>
    [Theory]
    [Values(Errno.EPERM, Errno.EOPNOTSUPP)]
    public void Auto_OnlySocketsWithoutAHolder_ReportsTheRefusedDestroy(int errno)
    {
        AddOwners(errno, owners: 1);
        Host.Sockets[0].Dumped = Host.Sockets[0].Dumped with { Inode = 0 };
        Assert.Equal(["Failed"], Close());
        Assert.Equal([(Operation.DestroySocket, errno, null)], Sink.Problems);
        Assert.True(Sink.IsNotPossible);
    }

    /// <summary>Each result names the method that closed the connection, or the last one that was tried.</summary>
    [Fact]
    public void Auto_EachConnection_NamesTheMethodThatWasUsed()
    {
        AddOwners(Errno.EPERM, owners: 3);
        Host.Sockets[1].Dumped = Host.Sockets[1].Dumped with { Inode = 0 };
        Host.Processes[2].Descriptors.Clear();
        Host.Add(new FakeProcess(300) { Refusal = Errno.EACCES });
        ConnectionList candidates = Host.Candidates();
        Assert.Equal(["Disconnected", "Failed", "OwnerUnknown"], Run(new AutoMethod(new SockDestroyer(leavesUnsupported: true), new SocketDisconnector()), candidates));
        Assert.Equal([Method.Disconnect, Method.Destroy, Method.Disconnect], Enumerable.Range(0, 3).Select(i => candidates[i].By));
    }

    /// <summary>Without a /proc, disconnect throws; why destroy failed is reported all the same.</summary>
    [Fact]
    public void Auto_DestroyRefusedAndNoProc_ReportsTheRefusalAndThrows()
    {
        AddOwners(Errno.EPERM, owners: 1);
        Host.Faults.Fail("open proc", Errno.ENOENT);
        Assert.Throws<SystemCallException>(() => Close());
        Assert.Equal([(Operation.DestroySocket, Errno.EPERM, null)], Sink.Problems);
    }

    [Fact]
    public void Auto_MptcpConnection_IsDisconnectedWhole()
    {
        var scene = new ServerScene(Host);
        (FakeTcp[] whole, _) = scene.AddMptcp(scene.Worker);
        Assert.Equal(["Disconnected", "Disconnected", "Destroyed"], Close([.. whole, scene.One]));
        Assert.Empty(Sink.Problems);
    }

    private void AddOwners(int destroyErrno, int owners)
    {
        Host.DestroyErrno = destroyErrno;
        for (int i = 0; i < owners; i++)
        {
            Add(Host.Add(new FakeProcess(200 + i)));
        }
    }

    private string[] Close(params FakeTcp[] sockets)
    {
        string[] outcomes = Run(new AutoMethod(new SockDestroyer(leavesUnsupported: true), new SocketDisconnector()), Host.Candidates(sockets));
        Sink.AssertAllReported();
        return outcomes;
    }
}
