using TcpCloser.Interop;
using TcpCloser.Tests.Support;

namespace TcpCloser.Tests.Kill;

/// <summary><c>--method kill</c>: what is looked at right before the signal.</summary>
public sealed class LookBeforeSignalTests : KillTrial
{
    /// <summary>Right before the signal the process has to hold the socket still, under the same number and inode.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void ADescriptorThatIsAnotherByThen(bool isClosed)
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
    public void AConnectionThatEndedByThen()
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

    /// <summary>And it has to be idle still: of its age at the dump nothing is said here.</summary>
    [Fact]
    public void AConnectionThatIsBusyByThen()
    {
        FakeTcp socket = Add(Worker);
        socket.Dumped = socket.Dumped with { LastDataRecv = 5 };
        Assert.Equal(["Busy"], Kill(words: "-t 10s"));
        Assert.Empty(Host.Signals);
    }

    /// <summary>One of a process's connections is busy by then, another is not: for the other it is signalled.</summary>
    [Fact]
    public void OneThatIsBusyDoesNotSpareItsProcess()
    {
        FakeTcp busy = Add(Worker);
        Add(Worker);
        busy.Dumped = busy.Dumped with { LastDataRecv = 5 };
        Assert.Equal(["Killed", "Killed"], Kill(words: "-t 10s"));
    }

    /// <summary>The look right before the signal fails: then there is no signal.</summary>
    [Theory]
    [InlineData("open fd", 4, Errno.EMFILE, Operation.ListDescriptors)]
    [InlineData("read fd", 2, Errno.EACCES, Operation.ReadDescriptor)]
    public void WhatCannotBeLookedAtAgain(string call, int which, int errno, object operation)
    {
        Add(Worker);
        int calls = 0;
        Host.Faults.Errno = (name, _) => name == call && ++calls == which ? errno : 0;
        Assert.Equal(["Failed"], Kill());
        Assert.Equal([((Operation)operation, errno, "process 200")], Sink.Problems);
        Assert.Empty(Host.Signals);
    }

    /// <summary>Whether it is still idle cannot be found out: then there is no signal, and it is said why.</summary>
    [Fact]
    public void WhatCannotBeLookedUpRightBefore()
    {
        Add(Worker);
        int sent = 0;
        Host.Faults.Errno = (call, _) => call == "send" && sent++ == 0 ? Errno.ENOMEM : 0;
        Assert.Equal(["Failed"], Kill());
        Assert.Equal([(Operation.LookUpSocket, Errno.ENOMEM, "process 200")], Sink.Problems);
        Assert.Empty(Host.Signals);
    }
}
