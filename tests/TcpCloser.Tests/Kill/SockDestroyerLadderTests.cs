using TcpCloser.Diag;
using TcpCloser.Interop;
using TcpCloser.Kill;
using TcpCloser.Tests.Support;
using Netlink = TcpCloser.Tests.Support.Netlink;

namespace TcpCloser.Tests.Kill;

/// <summary>SOCK_DESTROY where another method follows.</summary>
public sealed class SockDestroyerLadderTests
{
    private readonly RecordingWitness _witness = new();

    /// <summary>Before another method, what the kernel cannot do stays idle and untold; what it may not do fails here.</summary>
    [Theory]
    [InlineData(Errno.EOPNOTSUPP, "Idle")]
    [InlineData(Errno.EINVAL, "Idle")]
    [InlineData(Errno.EPERM, "Failed")]
    public void OnlyAKernelWithoutSockDestroyLeavesItToTheNextMethod(int errno, string outcome)
    {
        var kernel = new FakeKernel((sent, _) =>
            DestroyRequest.In(sent).Select(request => Answer.Of(Netlink.ErrorMessage(errno, request.Sequence))));
        ConnectionList doomed = Connections.Many(600, kernel);

        new SockDestroyer(ladder: true).Close(doomed, _witness, static () => false);

        Assert.All(Enumerable.Range(0, 600), i => Assert.Equal(outcome, doomed[i].Outcome.ToString()));
        Assert.Equal(errno == Errno.EPERM, _witness.Hopeless);
        Assert.Equal(errno == Errno.EPERM ? 1 : 0, _witness.Hindrances.Count);
    }

    [Theory]
    [InlineData(true, "Idle")]
    [InlineData(false, "Destroyed")]
    public void ASubflowOfMptcpIsLeftToTheNextMethod(bool ladder, string outcome)
    {
        var kernel = new FakeKernel(static (_, _) => []);
        ConnectionList doomed = Connections.Many(3, kernel);
        doomed[1].IsMptcp = true;

        new SockDestroyer(ladder).Close(doomed, _witness, static () => false);

        Assert.Equal(outcome, doomed[1].Outcome.ToString());
        Assert.Equal(Outcome.Destroyed, doomed[0].Outcome);
        Assert.Equal(Outcome.Destroyed, doomed[2].Outcome);
        Assert.Equal(ladder ? 2 : 3, DestroyRequest.In(kernel.Sent[0]).Count);
        Assert.All(DestroyRequest.In(kernel.Sent[0]), static request => Assert.Equal(2, request.Bytes[16]));
    }
}
