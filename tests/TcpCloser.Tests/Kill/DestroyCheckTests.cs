using TcpCloser.Diag;
using TcpCloser.Interop;
using TcpCloser.Kill;
using TcpCloser.Proc;
using TcpCloser.Tests.Support;
using Netlink = TcpCloser.Tests.Support.Netlink;

namespace TcpCloser.Tests.Kill;

/// <summary>What <c>--check</c> says of SOCK_DESTROY: it is tried on a connection that cannot exist.</summary>
public sealed class DestroyCheckTests
{
    /// <summary>The kernel looks for the connection before it asks for the privilege, which a filter by mark asks for at once.</summary>
    [Theory]
    [InlineData(Errno.ENOENT, 0, 0)]
    [InlineData(Errno.ENOENT, Errno.EPERM, Errno.EPERM)]
    [InlineData(Errno.ENOENT, Errno.EINVAL, 0)]
    [InlineData(Errno.EOPNOTSUPP, 0, Errno.EOPNOTSUPP)]
    [InlineData(Errno.EOPNOTSUPP, Errno.EPERM, Errno.EOPNOTSUPP)]
    [InlineData(Errno.EINVAL, 0, Errno.EINVAL)]
    [InlineData(Errno.EPERM, 0, Errno.EPERM)]
    public void WhatTheKernelAnswers(int destroyErrno, int markErrno, int errno)
    {
        var kernel = new FakeKernel((sent, _) =>
        [
            DestroyRequest.IsDestroy(sent) ? Answer.Of(Netlink.ErrorMessage(destroyErrno, DestroyRequest.In(sent)[0].Sequence))
                : markErrno != 0 ? Answer.Of(Netlink.ErrorMessage(markErrno))
                : Answer.Of(Netlink.DoneMessage()),
        ]);
        Ability ability = Check(kernel);
        Assert.Equal(("destroy", errno), (ability.Name, ability.Errno));
        Assert.Equal(errno == 0, ability.IsPossible);
        Assert.Equal(errno != 0, ability.IsImpossible);

        // It cannot exist: no socket has the last cookie but one, and the kernel itself takes the last for "any".
        DestroyRequest asked = DestroyRequest.In(kernel.Sent[0])[0];
        Assert.Equal(ulong.MaxValue - 1, asked.Cookie);
        Assert.Equal(Socket.AF_INET, asked.Bytes[16]);
        Assert.Equal(0, asked.DestinationPort);
    }

    [Fact]
    public void WhatBecameOfItIsNotKnown()
    {
        var kernel = new FakeKernel(static (_, _) => [Answer.Failing(Errno.ENOBUFS)]) { SendErrno = static number => number == 0 ? 0 : Errno.ENOMEM };
        Assert.Equal(Errno.EIO, Check(kernel).Errno);
    }

    [Fact]
    public void WithoutNetlink()
    {
        var kernel = new FakeKernel(static (_, _) => []);
        kernel.Faults.Errno = static (_, _) => Errno.EAFNOSUPPORT;
        Ability ability = Check(kernel);
        Assert.Equal(("destroy", Operation.OpenNetlink, Errno.EAFNOSUPPORT), (ability.Name, ability.Operation, ability.Errno));
    }

    /// <summary>Where there is no SOCK_DESTROY, it depends on whom sockets may be fetched from.</summary>
    [Theory]
    [InlineData(0, Errno.EACCES, 0, false)]
    [InlineData(Errno.EOPNOTSUPP, 0, 0, false)]
    [InlineData(Errno.EOPNOTSUPP, Errno.EACCES, Errno.EOPNOTSUPP, true)]
    [InlineData(Errno.EPERM, Errno.EACCES, Errno.EPERM, true)]
    public void Auto(int destroyErrno, int refusal, int errno, bool isImpossible)
    {
        var host = new FakeHost { DestroyErrno = destroyErrno };
        host.Add(new FakeProcess(200) { Refusal = refusal });
        var kernel = new FakeKernel((sent, _) =>
        [
            DestroyRequest.IsDestroy(sent)
                ? Answer.Of(Netlink.ErrorMessage(destroyErrno == 0 ? Errno.ENOENT : destroyErrno, DestroyRequest.In(sent)[0].Sequence))
                : Answer.Of(Netlink.DoneMessage()),
        ]);
        var auto = new AutoMethod(
            new SockDestroyer(new SocketDump(), new FakeNamespace(kernel), leavesUnsupported: true), new SocketDisconnector(new SocketDump(), host.OpenProcesses, new SearchOrder()));
        Ability ability = auto.Check([]);
        Assert.Equal(("auto", errno), (ability.Name, ability.Errno));
        Assert.Equal(isImpossible, ability.IsImpossible);

        // One that may be fetched from makes it possible for some.
        host.Add(new FakeProcess(201));
        Assert.False(auto.Check([]).IsImpossible);
        Assert.Equal(refusal != 0 && destroyErrno != 0 ? refusal : 0, auto.Check([]).Errno);
    }

    private static Ability Check(FakeKernel kernel)
    {
        Ability ability = new SockDestroyer(new SocketDump(), new FakeNamespace(kernel), leavesUnsupported: false).Check([]);
        Assert.Equal(0, kernel.LeftOpen);
        return ability;
    }
}
