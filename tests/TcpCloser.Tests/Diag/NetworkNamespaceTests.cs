using TcpCloser.Diag;
using TcpCloser.Interop;
using TcpCloser.Tests.Support;

namespace TcpCloser.Tests.Diag;

/// <summary>Names of devices: asked for once a round, and never a reason to fail.</summary>
public sealed class NetworkNamespaceTests
{
    [Fact]
    public void ADeviceIsAskedForOnceARound()
    {
        var network = new Counting();
        byte[] name = network.DeviceName(1);
        Assert.NotEmpty(name);
        Assert.Same(name, network.DeviceName(1));
        Assert.Equal(1, network.Opened);

        network.Dispose(); // the end of a round: it may have been renamed by the next
        Assert.Equal(name, network.DeviceName(1));
        Assert.Equal(2, network.Opened);
    }

    [Fact]
    public void WhatCannotBeAskedForHasNoName()
    {
        var network = new Counting { Errno = Errno.EMFILE };
        Assert.Empty(network.DeviceName(1));
    }

    private sealed class Counting : NetworkNamespace
    {
        public int Opened { get; private set; }

        public int Errno { get; init; }

        public override INetlinkSocket OpenSocket()
        {
            Opened++;
            return Errno == 0 ? FakeKernel.Answering().Open() : throw new SystemCallException(Operation.OpenNetlink, Errno);
        }
    }
}
