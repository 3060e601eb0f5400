namespace TcpCloser.Tests.Kill;

/// <summary>What <c>--check</c> reports about SOCK_DESTROY: it is tried on a connection that cannot exist.</summary>
public sealed class DestroyCheckTests
{
    /// <summary>The kernel looks a connection up before it checks the privilege; for a filter by mark it checks it first.</summary>
    [Theory]
    [Rows("ENOENT | 0 | 0", "ENOENT | EPERM | EPERM", "ENOENT | EINVAL | 0", "EOPNOTSUPP | 0 | EOPNOTSUPP",
        "EOPNOTSUPP | EPERM | EOPNOTSUPP", "EINVAL | 0 | EINVAL", "EPERM | 0 | EPERM")]
    public void Check_AnswerOfTheKernel_DecidesWhetherDestroyIsPossible(int destroyErrno, int markErrno, int errno)
    {
        var kernel = new FakeKernel((sent, _) =>
        [
            DestroyRequest.IsDestroy(sent) ? Answer.Of(Netlink.ErrorMessage(destroyErrno, DestroyRequest.In(sent)[0].Sequence))
                : markErrno != 0 ? Answer.Of(Netlink.ErrorMessage(markErrno))
                : Answer.Of(Netlink.DoneMessage()),
        ]);
        FeatureSupport ability = Check(kernel);
        Assert.Equal(("destroy", errno), (ability.Name, ability.Failure.Errno));
        Assert.Equal(errno == 0, ability.IsPossible);
        Assert.Equal(errno != 0, ability.IsImpossible);

        // It cannot exist: no socket has the second to last cookie, and to the kernel the last one means "any".
        DestroyRequest asked = DestroyRequest.In(kernel.Sent[0])[0];
        Assert.Equal(ulong.MaxValue - 1, asked.Cookie);
        Assert.Equal(Socket.AF_INET, asked.Bytes[16]);
        Assert.Equal(0, asked.DestinationPort);
    }

    [Fact]
    public void Check_AnswerLostAndLookupFails_IsEio()
    {
        var kernel = new FakeKernel(static (_, _) => [Answer.Failing(Errno.ENOBUFS)]) { SendErrno = static number => number == 0 ? 0 : Errno.ENOMEM };
        Assert.Equal(Errno.EIO, Check(kernel).Failure.Errno);
    }

    [Fact]
    public void Check_NetlinkCannotBeOpened_NamesTheCall()
    {
        var kernel = new FakeKernel(static (_, _) => []);
        kernel.Faults.Fail("open netlink", Errno.EAFNOSUPPORT);
        FeatureSupport ability = Check(kernel);
        Assert.Equal(("destroy", Operation.OpenNetlink, Errno.EAFNOSUPPORT), (ability.Name, ability.Failure.Operation, ability.Failure.Errno));
    }

    /// <summary>Without SOCK_DESTROY, auto depends on the processes that sockets may be fetched from.</summary>
    [Theory]
    [Rows("0 | EACCES | 0 | false", "EOPNOTSUPP | 0 | 0 | false", "EOPNOTSUPP | EACCES | EOPNOTSUPP | true",
        "EPERM | EACCES | EPERM | true")]
    public void CheckOfAuto_DestroyRefused_DependsOnTheProcesses(int destroyErrno, int refusal, int errno, bool isImpossible)
    {
        var host = new FakeHost { DestroyErrno = destroyErrno };
        host.Add(new FakeProcess(200) { Refusal = refusal });
        var kernel = new FakeKernel((sent, _) =>
        [
            DestroyRequest.IsDestroy(sent)
                ? Answer.Of(Netlink.ErrorMessage(destroyErrno == 0 ? Errno.ENOENT : destroyErrno, DestroyRequest.In(sent)[0].Sequence))
                : Answer.Of(Netlink.DoneMessage()),
        ]);
        var auto = new AutoMethod(new SockDestroyer(leavesUnsupported: true), new SocketDisconnector());
        var network = new FakeNamespace(kernel);
        FeatureSupport ability = auto.Check(host.Machine, network, []);
        Assert.Equal(("auto", errno), (ability.Name, ability.Failure.Errno));
        Assert.Equal(isImpossible, ability.IsImpossible);

        // One process that sockets may be fetched from makes it possible for some.
        host.Add(new FakeProcess(201));
        Assert.False(auto.Check(host.Machine, network, []).IsImpossible);
        Assert.Equal(refusal != 0 && destroyErrno != 0 ? refusal : 0, auto.Check(host.Machine, network, []).Failure.Errno);
    }

    private static FeatureSupport Check(FakeKernel kernel)
    {
        FeatureSupport ability = new SockDestroyer(leavesUnsupported: false).Check(new FakeHost().Machine, new FakeNamespace(kernel), []);
        Assert.Equal(0, kernel.LeftOpen);
        return ability;
    }
}
