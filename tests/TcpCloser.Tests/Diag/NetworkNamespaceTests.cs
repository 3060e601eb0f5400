namespace TcpCloser.Tests.Diag;

/// <summary>Device names are looked up once a round, and a missing name never fails the run.</summary>
public sealed class NetworkNamespaceTests
{
    [Fact]
    public void DeviceName_ReadTwice_IsLookedUpOnceARound()
    {
        var network = new Counting();
        byte[] name = network.DeviceName(1);
        Assert.NotEmpty(name);
        Assert.Same(name, network.DeviceName(1));
        Assert.Equal(1, network.Opened);

        network.Dispose(); // the end of a round: the device may be renamed before the next
        Assert.Equal(name, network.DeviceName(1));
        Assert.Equal(2, network.Opened);
    }

    [Fact]
    public void DeviceName_LookupFails_IsEmpty() => Assert.Empty(new Counting { Errno = Errno.EMFILE }.DeviceName(1));

    private sealed class Counting : NetworkNamespace
    {
        public int Opened { get; private set; }

        public int Errno { get; init; }

        public override INetlinkSocket OpenSocket()
        {
            Opened++;
            return Errno == 0 ? FakeKernel.Answering().Open() : throw new SystemCallException(new Failure(Operation.OpenNetlink, Errno));
        }
    }
}
