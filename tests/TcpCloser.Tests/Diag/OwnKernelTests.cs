using System.Text;

namespace TcpCloser.Tests.Diag;

/// <summary>This machine's kernel, for requests that need no privilege.</summary>
public sealed class OwnKernelTests : IDisposable
{
    private readonly NetworkNamespace _own = new();

    public void Dispose() => _own.Dispose();

    [Fact]
    public void OwnKernel_EachFilterCheck_IsSupported()
    {
        var dump = new SocketDump();
        Assert.True(FilterCheck.Dump(dump, _own).IsNone);
        Assert.True(FilterCheck.Ports(dump, _own).IsNone);
        Assert.True(FilterCheck.Addresses(dump, _own).IsNone);
        Assert.True(FilterCheck.Mark(dump, _own).Errno is 0 or Errno.EPERM or Errno.EINVAL);
    }

    [Fact]
    public void OwnKernel_Devices_AreFoundByNameAndNumber()
    {
        uint lo = _own.DeviceIndex("lo");
        Assert.NotEqual(0u, lo);
        Assert.Equal("lo", Encoding.UTF8.GetString(_own.DeviceName(lo)));
        Assert.Equal(0u, _own.DeviceIndex("no-such-device"));
        Assert.Empty(_own.DeviceName(int.MaxValue));
        Assert.Null(_own.Description);
    }

    /// <summary>A descriptor that is not a namespace cannot be entered, and is closed all the same.</summary>
    [Fact]
    public void Namespace_DescriptorIsNotANamespace_CannotBeEntered()
    {
        Assert.Equal(0, Fcntl.Open(Fcntl.AT_FDCWD, "/dev/null\0"u8, Fcntl.O_RDONLY, out int fd));
        var network = new NetworkNamespace(new NamespaceFile("blue"u8.ToArray(), fd, IsOwn: false, Pid: 0), _own);
        Assert.Equal("in netns blue", network.Description);
        Assert.Equal(Operation.EnterNamespace, Assert.Throws<SystemCallException>(network.OpenSocket).Failure.Operation);
        Assert.Empty(network.DeviceName(1));
        network.Dispose();
        Assert.Equal(-1, Unistd.close(fd));
    }

    /// <summary>A kernel that does not know what <c>--check</c> tries refuses it, and the check returns the errno.</summary>
    [Fact]
    public void FilterChecks_KernelRefuses_ReturnTheErrno()
    {
        var kernel = FakeKernel.Answering(Answer.Of(Netlink.ErrorMessage(Errno.EINVAL)));
        Func<SocketDump, NetworkNamespace, Failure>[] checks =
            [FilterCheck.Dump, FilterCheck.Ports, FilterCheck.Addresses, FilterCheck.Interface, FilterCheck.Mark, FilterCheck.Cgroup];
        Assert.All(checks, check => Assert.Equal(Errno.EINVAL, check(new SocketDump(), new FakeNamespace(kernel)).Errno));

        // Each check tries something different.
        Assert.Equal(checks.Length, kernel.Sent.Select(Convert.ToHexString).Distinct().Count());
        Assert.Equal(0, kernel.LeftOpen);
    }

    /// <summary>Only the filter by mark needs a privilege; elsewhere, EPERM comes from a seccomp filter.</summary>
    [Fact]
    public void FilterChecks_KernelForbids_OnlyTheMarkIsToBlame()
    {
        var network = new FakeNamespace(FakeKernel.Answering(Answer.Of(Netlink.ErrorMessage(Errno.EPERM))));
        var dump = new SocketDump();
        Assert.Equal(new Failure(Operation.ListSocketsByMark, Errno.EPERM), FilterCheck.Mark(dump, network));
        Assert.Equal(new Failure(Operation.ListSockets, Errno.EPERM), FilterCheck.Ports(dump, network));
    }
}
