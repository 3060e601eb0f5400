namespace TcpCloser.Tests.Kill;

/// <summary>Whether the processes that hold sockets are visible, and what that means for the methods that need them.</summary>
public sealed class HolderVisibilityTests
{
    private static readonly FeatureSupport s_willing = new("disconnect") { NeedsProcesses = true, HasWillingProcess = true };
    private static readonly FeatureSupport s_noneWilling = new("disconnect") { NeedsProcesses = true };
    private static readonly FeatureSupport s_partial = new("disconnect", new Failure(Operation.ListDescriptors, Errno.EACCES, "of process 7"))
    {
        Availability = Availability.Partial,
        NeedsProcesses = true,
        HasWillingProcess = true,
    };

    private uint _nextInode = 50;
    [Fact]
    public void Visibility_InitialPidNamespace_IsWholeDespiteUnheldSockets()
    {
        var host = new FakeHost();
        AddSocket(host);
        HolderVisibility visibility = Look(host);
        Assert.True(visibility.IsWhole);
        Assert.Same(s_partial, visibility.Limit(s_partial, []));
        Assert.Empty(host.Kernel.Sent);
    }

    [Fact]
    public void Visibility_ProcessOneIsHidden_NothingCanBeFound()
    {
        var host = new FakeHost();
        host.Add(new FakeProcess(1) { IsHidden = true });
        HolderVisibility visibility = Look(host);
        Assert.Equal((Operation.SeeProcesses, Errno.ENOENT), (visibility.Failure.Operation, visibility.Failure.Errno));
        AssertIs(visibility.Limit(s_noneWilling, []), Availability.None, isImpossible: true, Operation.SeeProcesses);

        // A service can still close the connections of the processes that it sees.
        AssertIs(visibility.Limit(s_willing, []), Availability.None, isImpossible: false, Operation.SeeProcesses);
        AssertIs(visibility.Limit(s_willing, [1000]), Availability.Partial, isImpossible: false, Operation.SeeProcesses);
        AssertIs(visibility.Limit(s_noneWilling, [1000]), Availability.None, isImpossible: true, Operation.SeeProcesses);
    }

    /// <summary>The machine's processes are in another pid namespace, whether they hold sockets at the moment or not.</summary>
    [Theory]
    [Rows("0 | 0 | true", "0 | 2 | true", "1 | 2 | false")]
    public void Visibility_InitialNetworkFromAnotherPidNamespace_NothingCanBeFound(int held, int unheld, bool isImpossible)
    {
        FakeHost host = Contained(isInitialNetwork: true, held: held, unheld: unheld);
        HolderVisibility visibility = Look(host);
        Assert.Equal(unheld == 0 ? null : $"({unheld} of {held + unheld} have none here)", visibility.Failure.Subject);
        AssertIs(visibility.Limit(s_willing, []), Availability.None, isImpossible, Operation.FindHolders);
        AssertIs(visibility.Limit(s_willing, [0]), isImpossible ? Availability.None : Availability.Partial, isImpossible, Operation.FindHolders);
    }

    [Theory]
    [InlineData(0, 0, null)]
    [InlineData(3, 0, null)]
    [InlineData(1, 2, Availability.Partial)]
    [InlineData(0, 2, Availability.None)]
    public void Visibility_OtherNetworkFromAnotherPidNamespace_DependsOnItsSockets(int held, int unheld, object? answer)
    {
        FakeHost host = Contained(isInitialNetwork: false, held, unheld);
        HolderVisibility visibility = Look(host);
        Assert.Equal(answer is null, visibility.IsWhole);
        if (answer is not null)
        {
            AssertIs(visibility.Limit(s_willing, []), (Availability)answer, isImpossible: held == 0, Operation.FindHolders);
        }
    }

    /// <summary>A process that cannot be inspected may hold the sockets that seem to be unheld.</summary>
    [Fact]
    public void Visibility_ProcessRefuses_ProvesNothing()
    {
        FakeHost host = Contained(isInitialNetwork: false, held: 0, unheld: 2);
        host.Add(new FakeProcess(300) { Refusal = Errno.EACCES });
        Assert.True(Look(host).IsWhole);
    }

    [Fact]
    public void Visibility_SocketClosedWhileProcessesAreRead_ProvesNothing()
    {
        FakeHost host = Contained(isInitialNetwork: false);
        FakeTcp socket = AddSocket(host);
        host.Faults.BeforeFirst("list processes", () => socket.End(FakeHost.ByItself));
        Assert.True(Look(host).IsWhole);
    }

    [Fact]
    public void Visibility_OneUser_CountsOnlyThatUsersSockets()
    {
        FakeHost host = Contained(isInitialNetwork: false);
        FakeTcp others = AddSocket(host);
        others.Dumped = others.Dumped with { Uid = 5 };
        AddSocket(host, new FakeProcess(201));
        Assert.True(Look(host, 1000).IsWhole);
        Assert.False(Look(host, 5).IsWhole);
    }

    [Fact]
    public void Limit_MethodNeedsNoProcesses_IsUnchanged()
    {
        var host = new FakeHost();
        host.Add(new FakeProcess(1) { IsHidden = true });
        var destroy = new FeatureSupport("destroy");
        Assert.Same(destroy, Look(host).Limit(destroy, []));
    }

    /// <summary>If both are partial the first reason stays: a refusal names the process.</summary>
    [Fact]
    public void Limit_SomeRefuseAndSomeSocketsAreUnheld_KeepsTheRefusal()
    {
        FakeHost host = Contained(isInitialNetwork: false, held: 1, unheld: 1);
        Assert.Same(s_partial, Look(host).Limit(s_partial, []));
    }

    [Fact]
    public void Reason_NoConnectionHasTheOutcome_MakesNoCalls()
    {
        FakeHost host = Contained(isInitialNetwork: true, held: 0, unheld: 2);
        ConnectionList candidates = host.Candidates();
        Assert.Null(HolderVisibility.Of(candidates, Outcome.NoOwner, host.Machine));
        Assert.Empty(host.Faults.Calls);
        candidates[1].Outcome = Outcome.NoOwner;
        Assert.Equal(Operation.FindHolders, HolderVisibility.Of(candidates, Outcome.NoOwner, host.Machine)!.Failure.Operation);
        Assert.Equal(0, host.AllLeftOpen);
        candidates[1].Inode = 0; // only the kernel has it
        Assert.Null(HolderVisibility.Of(candidates, Outcome.NoOwner, host.Machine));
    }

    private FakeHost Contained(bool isInitialNetwork, int held = 0, int unheld = 0)
    {
        var host = new FakeHost { IsInInitialPidNamespace = false, IsInInitialNetworkNamespace = isInitialNetwork };
        for (int i = 0; i < held + unheld; i++)
        {
            AddSocket(host, i < held ? [new FakeProcess(200 + i)] : []);
        }

        return host;
    }

    private static HolderVisibility Look(FakeHost host, params uint[] uids)
    {
        HolderVisibility visibility;
        using (IProcessTable table = host.OpenProcesses())
        {
            visibility = new HolderVisibility(table, new SocketDump(), host.Network, uids);
        }

        Assert.Equal(0, host.AllLeftOpen);
        return visibility;
    }

    private static void AssertIs(FeatureSupport ability, Availability availability, bool isImpossible, Operation operation)
    {
        Assert.Equal((availability, isImpossible, operation), (ability.Availability, ability.IsImpossible, ability.Failure.Operation));
        Assert.Equal("disconnect", ability.Name);
    }

    private FakeTcp AddSocket(FakeHost host, params FakeProcess[] holders)
    {
        host.Processes.AddRange(holders);
        uint number = _nextInode++;
        return host.Add(new FakeTcp(new DumpedSocket { Inode = number, Cookie = number, Uid = 1000 }), holders);
    }
}
