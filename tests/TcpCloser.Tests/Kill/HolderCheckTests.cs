namespace TcpCloser.Tests.Kill;

/// <summary>
/// What <c>--check</c> reports about features that work through holders: each process is tried, and none is changed.
/// </summary>
public sealed class HolderCheckTests
{
    private readonly FakeHost _host = new();
    private readonly FakeProcess _worker;

    public HolderCheckTests()
    {
        _host.Add(new FakeProcess(_host.Self) { Refusal = Errno.EACCES });
        _host.Add(new FakeProcess(2) { IsKernelThread = true, Uid = 0, Refusal = Errno.EACCES });
        _worker = _host.Add(new FakeProcess(200));
        _host.Add(new FakeTcp(new DumpedSocket()), _worker);
    }

    /// <summary>This process and kernel threads hold no candidates, and are not tried.</summary>
    [Theory]
    [Values("disconnect", "keepalive", "probe", "kill")]
    public void Check_EveryOtherProcessAllowsIt_IsPossible(string feature)
    {
        FeatureSupport support = Check(feature);
        Assert.Equal(feature, support.Name);
        Assert.True(support.IsPossible);
        Assert.False(support.IsImpossible);
        Assert.Empty(_host.Signals);
    }

    [Theory]
    [Values("disconnect", "keepalive", "probe", "kill")]
    public void Check_SomeProcessesRefuse_IsImpossibleOnlyForTheirUser(string feature)
    {
        _host.Add(new FakeProcess(300) { Refusal = Errno.EACCES, Uid = 33 });
        _host.Add(new FakeProcess(301) { Refusal = Errno.EACCES, Uid = 33 });
        AssertIs(Check(feature), Errno.EACCES, Operation.ListDescriptors, "of process 300 and 1 other", isImpossible: false);

        // All processes of that user refuse.
        AssertIs(Check(feature, 33), Errno.EACCES, Operation.ListDescriptors, "of process 300 and 1 other", isImpossible: true);
        Assert.True(Check(feature, 1000).IsPossible);
        AssertIs(Check(feature, 1000, 33), Errno.EACCES, Operation.ListDescriptors, "of process 300 and 1 other", isImpossible: false);
    }

    [Theory]
    [Rows("disconnect | open fd | ListDescriptors", "disconnect | list fd | ListDescriptors", "disconnect | read fd | ReadDescriptor",
        "disconnect | open process | OpenProcess", "disconnect | fetch socket | FetchSocket", "kill | open fd | ListDescriptors",
        "kill | read fd | ReadDescriptor", "kill | signal | SignalProcess")]
    public void Check_AnyCallRefused_NamesThatCall(string feature, string call, object operation)
    {
        _host.Faults.Fail(call, Errno.EPERM);
        AssertIs(Check(feature), Errno.EPERM, (Operation)operation, "of process 200", isImpossible: true);
    }

    /// <summary>A process that ends meanwhile does not refuse, and shows nothing about what is possible.</summary>
    [Theory]
    [Rows("open fd | ENOENT", "open fd | ESRCH", "open process | ESRCH", "fetch socket | ESRCH")]
    public void Check_ProcessEndsMeanwhile_IsIgnored(string call, int errno)
    {
        _host.Add(new FakeProcess(300) { Refusal = Errno.EACCES });
        _host.Faults.Errno = (name, _) => name == call && _worker.IsAlive ? errno : 0;
        _host.Faults.Before = (name, number) => _worker.IsAlive = name != call || !_host.Faults.Calls.Take(number).Contains(call);
        AssertIs(Check("disconnect"), Errno.EACCES, Operation.ListDescriptors, "of process 300", isImpossible: true);
    }

    /// <summary>A process without descriptors is still tried for the rest; a link that has gone is not a refusal.</summary>
    [Fact]
    public void Check_ProcessWithoutDescriptors_IsTriedForTheRest()
    {
        _worker.Descriptors.Clear();
        Assert.True(Check("disconnect").IsPossible);
        Assert.Contains("fetch socket", _host.Faults.Calls);
        _worker.Descriptors[3] = "pipe:[1]";
        _host.Faults.Fail("read fd", Errno.ENOENT);
        Assert.True(Check("disconnect").IsPossible);
    }

    [Fact]
    public void CheckOfProbe_NoProc_IsImpossible()
    {
        var host = new FakeHost { OpenProcErrno = Errno.ENOENT };
        FeatureSupport support = PeerProbe.Check(host.Machine, []);
        AssertIs(support, Errno.ENOENT, Operation.OpenProc, subject: null, isImpossible: true);
    }

    private static void AssertIs(FeatureSupport support, int errno, Operation operation, string? subject, bool isImpossible)
    {
        Assert.Equal((errno, operation, subject), (support.Failure.Errno, support.Failure.Operation, support.Failure.Subject));
        Assert.False(support.IsPossible);
        Assert.Equal(isImpossible, support.IsImpossible);
    }

    private FeatureSupport Check(string feature, params uint[] uids)
    {
        Rule rule = Words.Rule("-s", "22");
        FeatureSupport support = feature switch
        {
            "disconnect" => new SocketDisconnector().Check(_host.Machine, _host.Network, uids),
            "keepalive" => new KeepaliveMethod(rule).Check(_host.Machine, _host.Network, uids),
            "kill" => new ProcessKiller(rule).Check(_host.Machine, _host.Network, uids),
            _ => PeerProbe.Check(_host.Machine, uids),
        };
        Assert.Equal(0, _host.AllLeftOpen);
        return support;
    }
}
