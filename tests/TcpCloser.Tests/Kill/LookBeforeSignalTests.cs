namespace TcpCloser.Tests.Kill;

/// <summary><c>--method kill</c>: what is checked right before the signal.</summary>
public sealed class LookBeforeSignalTests : KillTestBase
{
    /// <summary>Right before the signal the process must still hold the socket, under the same descriptor and inode.</summary>
    [Theory]
    [Values(true, false)]
    public void Kill_DescriptorReplacedBeforeTheSignal_SendsNoSignal(bool isClosed)
    {
        Add(Worker);
        Host.Faults.Before = (call, _) =>
        {
            if (call == "open process")
            {
                Worker.Descriptors.Clear();
                Worker.Descriptors[3] = isClosed ? "pipe:[500]" : "socket:[77]";
            }
        };
        Assert.Equal(["NoOwner"], Kill());
        Assert.Empty(Host.Signals);
    }

    [Fact]
    public void Kill_ConnectionEndsBeforeTheSignal_SendsNoSignal()
    {
        FakeTcp socket = Add(Worker);
        Host.Faults.Before = (call, _) =>
        {
            if (call == "open process" && socket.IsOpen)
            {
                socket.End(FakeHost.ByItself);
            }
        };
        Assert.Equal(["Vanished"], Kill());
        Assert.Empty(Host.Signals);
    }

    /// <summary>The connection must still be idle right before the signal, whatever its age at the dump was.</summary>
    [Fact]
    public void Kill_ConnectionBusyBeforeTheSignal_SendsNoSignal()
    {
        FakeTcp socket = Add(Worker);
        socket.Dumped = socket.Dumped with { LastDataRecv = 5 };
        Assert.Equal(["Busy"], Kill(words: "-t 10s"));
        Assert.Empty(Host.Signals);
    }

    /// <summary>
    /// One of the process's connections has become busy, another has not: the process is signalled because of the other one.
    /// </summary>
    [Fact]
    public void Kill_OneOfTwoConnectionsBusy_SignalsBecauseOfTheOther()
    {
        FakeTcp busy = Add(Worker);
        Add(Worker);
        busy.Dumped = busy.Dumped with { LastDataRecv = 5 };
        Assert.Equal(["Killed", "Killed"], Kill(words: "-t 10s"));
    }

    /// <summary>If the check right before the signal fails, no signal is sent.</summary>
    [Theory]
    [Rows("open fd | 4 | EMFILE | ListDescriptors", "read fd | 2 | EACCES | ReadDescriptor")]
    public void Kill_DescriptorsUnreadableBeforeTheSignal_SendsNoSignal(string call, int which, int errno, object operation)
    {
        Add(Worker);
        int calls = 0;
        Host.Faults.Errno = (name, _) => name == call && ++calls == which ? errno : 0;
        Assert.Equal(["Failed"], Kill());
        Assert.Equal([((Operation)operation, errno, "process 200")], Sink.Problems);
        Assert.Empty(Host.Signals);
    }

    /// <summary>If the lookup right before the signal fails, no signal is sent, and the reason is reported.</summary>
    [Fact]
    public void Kill_LookupFailsBeforeTheSignal_SendsNoSignalAndReportsWhy()
    {
        Add(Worker);
        int sent = 0;
        Host.Faults.Errno = (call, _) => call == "send" && sent++ == 0 ? Errno.ENOMEM : 0;
        Assert.Equal(["Failed"], Kill());
        Assert.Equal([(Operation.LookUpSocket, Errno.ENOMEM, "process 200")], Sink.Problems);
        Assert.Empty(Host.Signals);
    }
}
