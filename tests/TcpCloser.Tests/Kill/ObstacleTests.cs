using TcpCloser.Diag;
using TcpCloser.Interop;
using TcpCloser.Kill;
using TcpCloser.Proc;
using TcpCloser.Tests.Support;

namespace TcpCloser.Tests.Kill;

/// <summary>What a dry run says of candidates that the method could not close, from what is known without trying.</summary>
public sealed class ObstacleTests
{
    /// <summary>Without an owner a socket cannot be fetched; one whose owner may be among those that cannot be looked into, perhaps.</summary>
    [Theory]
    [InlineData(true, true, false, null)]
    [InlineData(true, true, true, null)]
    [InlineData(true, false, false, "NoOwner")]
    [InlineData(true, false, true, null)]
    [InlineData(false, true, false, "NoOwner")]
    [InlineData(false, false, true, "NoOwner")]
    public void OfADisconnect(bool hasInode, bool isHeld, bool someAreHidden, string? expected)
    {
        var host = new FakeHost();
        FakeProcess worker = host.Add(new FakeProcess(200));
        FakeTcp socket = host.Add(new FakeTcp(new DumpedSocket { Inode = hasInode ? 500u : 0 }), isHeld ? [worker] : []);
        if (someAreHidden)
        {
            host.Add(new FakeProcess(300) { Refusal = Errno.EACCES });
        }

        using IProcessTable table = host.OpenProcesses();
        ConnectionList candidates = host.Candidates(socket);
        SocketOwners owners = OwnerForecast.Find(table, candidates);
        var method = new SocketDisconnector(new SocketDump(), host.OpenProcesses, new SearchOrder());
        Assert.Equal(expected, method.Obstacle(in candidates[0], owners)?.ToString());
        Assert.True(method.NeedsOwners);
        Assert.False(method.EndsProcesses);
    }
}
