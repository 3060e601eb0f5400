using TcpCloser.Run;

namespace TcpCloser.Tests.Run;

/// <summary>What a service checks before its first round: everything that its rule needs.</summary>
public sealed class RuleCheckTests
{
    [Theory]
    [Rows("-s 22 | auto", "-s 22 --method disconnect --probe 3s | disconnect probe",
        "--comm worker --probe 3s | auto probe filter-processes", "--pid 200 --method destroy | destroy filter-processes")]
    public void Check_EachRule_CoversEverythingItNeeds(string words, string names)
    {
        List<FeatureSupport> abilities = Check(new FakeHost(), words);
        Assert.Equal(names.Split(' '), abilities.Select(static ability => ability.Name));
        Assert.All(abilities, static ability => Assert.True(ability.IsPossible));
    }

    [Fact]
    public void Check_ProcHidesProcesses_IsImpossibleForWhatNeedsThem()
    {
        var host = new FakeHost();
        host.Add(new FakeProcess(1) { IsHidden = true });
        List<FeatureSupport> abilities = Check(host, "--comm worker --method destroy");
        Assert.Equal([false, true], abilities.Select(static ability => ability.IsImpossible));
        Assert.True(Assert.Single(Check(host, "-s 22 --method kill")).IsImpossible);
        Assert.True(Assert.Single(Check(host, "-s 22")).IsPossible);
    }

    /// <summary>A round reports which of the named processes refuse.</summary>
    [Fact]
    public void Check_SomeProcessesRefuse_FilterByNameStaysPossible()
    {
        var host = new FakeHost();
        host.Add(new FakeProcess(200));
        host.Add(new FakeProcess(300) { Refusal = Errno.EACCES });
        Assert.All(Check(host, "--comm worker --method destroy"), static ability => Assert.True(ability.IsPossible));
        Assert.Equal(Availability.Partial, Assert.Single(Check(host, "-s 22 --method disconnect")).Availability);
    }

    /// <summary>A service that waits for a process that it may not inspect would wait forever.</summary>
    [Theory]
    [Rows("worker | false", "nobody | true")]
    public void Check_EveryProcessRefuses_IsImpossibleUnlessOneHasTheName(string comm, bool isImpossible)
    {
        var host = new FakeHost();
        host.Add(new FakeProcess(300) { Refusal = Errno.EACCES });
        Assert.Equal(isImpossible, Check(host, $"--comm {comm} --method destroy")[1].IsImpossible);
    }

    /// <summary>Of several network namespaces one is enough, whichever it is.</summary>
    [Fact]
    public void Check_SeveralNamespaces_OneIsEnough()
    {
        var host = new FakeHost();
        var locked = new FakeNamespace(FakeKernel.Answering(Answer.Of(Support.Netlink.ErrorMessage(Errno.EPERM))), "locked"u8.ToArray());
        Assert.True(Assert.Single(Check(host, "-s 22 --method destroy", locked)).IsImpossible);
        Assert.True(Assert.Single(Check(host, "-s 22 --method destroy", locked, host.Network)).IsPossible);
        Assert.True(Assert.Single(Check(host, "-s 22 --method destroy", host.Network, locked)).IsPossible);
        Assert.Empty(new RuleCheck(Words.Rule("-s", "22"), new FakeHost { DestroyErrno = Errno.EPERM }.Machine).Run([]));
    }

    private static List<FeatureSupport> Check(FakeHost host, string words, params NetworkNamespace[] namespaces)
    {
        List<FeatureSupport> abilities = new RuleCheck(Words.Rule(words.Split(' ')), host.Machine)
            .Run(namespaces.Length == 0 ? [host.Network] : namespaces);
        Assert.Equal(0, host.AllLeftOpen);
        return abilities;
    }
}
