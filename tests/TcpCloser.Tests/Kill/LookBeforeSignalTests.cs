namespace TcpCloser.Tests.Kill;

/// <summary><c>--method kill</c>: what is checked right before the signal.</summary>
public sealed class LookBeforeSignalTests : KillTestBase
{
    /// <summary>Right before the signal the process must still hold the socket, under the same descriptor and inode.</summary>
    [Theory]
    [Values("pipe:[500]", "socket:[77]")]
    public void Kill_DescriptorReplacedBeforeTheSignal_SendsNoSignal(string link)
    {
        Add(Worker);
        Host.Faults.BeforeFirst("open process", () => Worker.Descriptors[3] = link);
        Assert.Equal(["NoOwner"], Kill());
        Assert.Empty(Host.Signals);
    }

    [Fact]
    public void Kill_ConnectionEndsBeforeTheSignal_SendsNoSignal()
    {
        FakeTcp socket = Add(Worker);
        Host.Faults.BeforeFirst("open process", () => socket.End(FakeHost.ByItself));
        Assert.Equal(["Vanished"], Kill());
        Assert.Empty(Host.Signals);
    }

    /// <summary>
    /// The connection must still be idle right before the signal, whatever its age at the dump was, unless the process is signalled because of
    /// another connection.
    /// </summary>
    [Theory]
    [Values(false, true)]
    public void Kill_ConnectionBusyBeforeTheSignal_IsSignalledOnlyBecauseOfAnother(bool hasAnother)
    {
        FakeTcp busy = Add(Worker);
        busy.Dumped = busy.Dumped with { LastDataRecv = 5 };
        _ = hasAnother ? Add(Worker) : null;
        Assert.Equal(hasAnother ? ["Killed", "Killed"] : ["Busy"], Kill(words: "-t 10s"));
        Assert.Equal(hasAnother ? 1 : 0, Host.Signals.Count);
    }

    /// <summary>If a check right before the signal fails, no signal is sent, and the reason is reported.</summary>
    [Theory]
    [Rows("open fd | 3 | EMFILE | ListDescriptors", "read fd | 1 | EACCES | ReadDescriptor", "send | 0 | ENOMEM | LookUpSocket")]
    public void Kill_CheckBeforeTheSignalFails_SendsNoSignalAndReportsWhy(string call, int which, int errno, object operation)
    {
        Add(Worker);
        Host.Faults.FailOnce(call, errno, which);
        Assert.Equal(["Failed"], Kill());
        Assert.Equal([((Operation)operation, errno, "process 200")], Sink.Problems);
        Assert.Empty(Host.Signals);
    }
}
