using System.Text;
using TcpCloser.Diag;
using TcpCloser.Interop;
using TcpCloser.Tests.Support;

namespace TcpCloser.Tests.Diag;

/// <summary>This machine's kernel, asked what anybody may ask.</summary>
public sealed class OwnKernelTests : IDisposable
{
    private readonly NetworkNamespace _own = new();

    public void Dispose() => _own.Dispose();

    [Fact]
    public void ItListsSocketsAndFiltersThem()
    {
        var dump = new SocketDump();
        Assert.Equal(0, FilterCheck.DumpErrno(dump, _own));
        Assert.Equal(0, FilterCheck.PortsErrno(dump, _own));
        Assert.Equal(0, FilterCheck.AddressesErrno(dump, _own));
        Assert.True(FilterCheck.MarkErrno(dump, _own) is 0 or Errno.EPERM or Errno.EINVAL);
    }

    [Fact]
    public void DevicesByNameAndNumber()
    {
        uint lo = _own.DeviceIndex("lo");
        Assert.NotEqual(0u, lo);
        Assert.Equal("lo", Encoding.UTF8.GetString(_own.DeviceName(lo)));
        Assert.Equal(0u, _own.DeviceIndex("no-such-device"));
        Assert.Empty(_own.DeviceName(int.MaxValue));
        Assert.Null(_own.Description);
    }

    /// <summary>A descriptor that is no namespace cannot be entered, and is closed all the same.</summary>
    [Fact]
    public void WhatIsNoNamespace()
    {
        int fd = Fcntl.Open(Fcntl.AT_FDCWD, "/dev/null\0"u8, Fcntl.O_RDONLY);
        var network = new NetworkNamespace("blue"u8.ToArray(), fd);
        Assert.Equal("in netns blue", network.Description);
        Assert.Equal(Operation.EnterNamespace, Assert.Throws<SystemCallException>(network.OpenSocket).Operation);
        Assert.Empty(network.DeviceName(1));
        network.Dispose();
        Assert.Equal(-1, Unistd.close(fd));
    }

    /// <summary>What the checks of <c>--check</c> ask for is refused by a kernel that does not know it, and said.</summary>
    [Fact]
    public void AKernelThatRefuses()
    {
        var kernel = new FakeKernel(static (_, _) => [Answer.Of(Support.Netlink.ErrorMessage(Errno.EINVAL))]);
        var network = new FakeNamespace(kernel);
        var dump = new SocketDump();
        Func<SocketDump, NetworkNamespace, int>[] checks =
        [
            FilterCheck.DumpErrno, FilterCheck.PortsErrno, FilterCheck.AddressesErrno, FilterCheck.InterfaceErrno, FilterCheck.MarkErrno, FilterCheck.CgroupErrno,
        ];
        Assert.All(checks, check => Assert.Equal(Errno.EINVAL, check(dump, network)));

        // Each asks something else.
        Assert.Equal(checks.Length, kernel.Sent.Select(Convert.ToHexString).Distinct().Count());
        Assert.Equal(0, kernel.LeftOpen);
    }
}
