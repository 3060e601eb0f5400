using TcpCloser.Run;

namespace TcpCloser.Tests.Run;

/// <summary>The processes that a rule names or excludes, and what is reported if they cannot be inspected.</summary>
public sealed class ProcessLookupTests
{
    private readonly FakeHost _host = new();
    private readonly RecordingObserver _observer = new();
    private readonly RoundStatus _status = new(new Rule());

    [Fact]
    public void Processes_SelectedByName_AreFoundWithTheirSockets()
    {
        var scene = new ServerScene(_host);
        RuleLookup lookup = Lookup("--comm", "worker");
        lookup.Find();
        Assert.Equal([200, 201, 204, 202], lookup.NamedPids);
        Assert.Contains(scene.One.Dumped.Inode, lookup.ContextOf(_host.Network).OwnedInodes!);
        Assert.DoesNotContain(scene.OwnSession.Dumped.Inode, lookup.ContextOf(_host.Network).OwnedInodes!);
        Assert.Empty(_observer.Messages);
    }

    /// <summary>"Cannot be read" is never "does not exist": if no process at all can be read, the run is not possible.</summary>
    [Theory]
    [Rows("true | false", "false | true")]
    public void Processes_Unreadable_AreIncompleteOrNotPossible(bool oneCan, bool isNotPossible)
    {
        _host.Add(new FakeProcess(300) { Refusal = Errno.EACCES });
        if (oneCan)
        {
            _host.Add(new FakeProcess(301));
        }

        Lookup("--comm", "worker").Find();
        Assert.Contains("EACCES", Assert.Single(_observer.Errors), StringComparison.Ordinal);
        Assert.Equal((true, isNotPossible), (_status.IsIncomplete, _status.IsNotPossible));
    }

    [Fact]
    public void Processes_NoneHasTheName_IsAWarning()
    {
        RuleLookup lookup = Lookup("--comm", "nobody");
        lookup.Find();
        Assert.Equal((Level.Warning, "no process matches --comm nobody, so no connection does"), Assert.Single(_observer.Messages));
        Assert.Empty(lookup.ContextOf(_host.Network).OwnedInodes!);
    }

    [Theory]
    [Rows("--comm worker", "--pid 300")]
    public void Processes_AllHiddenByProc_AreReportedAsHidden(params string[] words)
    {
        AddHidden();

        Lookup(words).Find();

        Assert.StartsWith("seeing other users' processes in /proc: ENOENT", Assert.Single(_observer.Messages).Text, StringComparison.Ordinal);
        Assert.Equal((true, true), (_status.IsIncomplete, _status.IsNotPossible));
    }

    /// <summary>Hidden processes may also have the name.</summary>
    [Fact]
    public void Processes_SomeHiddenByProc_AreIncomplete()
    {
        AddHidden();
        _host.Add(new FakeProcess(301));

        RuleLookup lookup = Lookup("--comm", "worker");
        lookup.Find();

        Assert.Equal([301], lookup.NamedPids);
        Assert.Contains("hidepid=", Assert.Single(_observer.Errors), StringComparison.Ordinal);
        Assert.Equal((true, false), (_status.IsIncomplete, _status.IsNotPossible));
    }

    /// <summary>A pid that was found is the selected process, and /proc never hides a user's own processes.</summary>
    [Theory]
    [Rows("--pid 301", "--comm worker --uid 1000")]
    public void Processes_NoneOfTheSelectedIsHidden_AreComplete(params string[] words)
    {
        AddHidden();
        _host.Add(new FakeProcess(301));
        _host.Add(new FakeProcess(_host.Self));

        Lookup(words).Find();

        Assert.Empty(_observer.Messages);
        Assert.False(_status.IsIncomplete);
    }

    [Fact]
    public void Processes_PidMissingAndOthersHidden_IsAWarning()
    {
        AddHidden();

        Lookup("--pid", "77").Find();

        Assert.StartsWith("no process matches ", Assert.Single(_observer.Messages).Text, StringComparison.Ordinal);
        Assert.False(_status.IsIncomplete);
    }

    [Theory]
    [Rows("true | false | true", "false | true | true", "false | false | false")]
    public void Processes_NoneFoundInAnInnerPidNamespace_AreAProblemIfSocketsAreUnheld(bool isInitialNetwork, bool hasUnheldSocket, bool isProblem)
    {
        var host = new FakeHost { IsInInitialPidNamespace = false, IsInInitialNetworkNamespace = isInitialNetwork };
        if (hasUnheldSocket)
        {
            host.Add(new FakeTcp(new DumpedSocket { Inode = 5 }));
        }

        Lookup(host, "--comm", "worker").Find();

        Assert.Equal((isProblem, isProblem), (_status.IsIncomplete, _status.IsNotPossible));
        Assert.StartsWith(isProblem ? "finding the processes that hold the sockets" : "no process matches ", Assert.Single(_observer.Messages).Text, StringComparison.Ordinal);
    }

    [Fact]
    public void Exclusion_ByName_HasTheInodesOfTheProcesses()
    {
        var scene = new ServerScene(_host);
        RuleLookup lookup = Lookup("-s", "22", "--not-comm", "sshd-session,nobody");
        lookup.Find();
        RuleContext context = lookup.ContextOf(_host.Network);
        Assert.Equal([scene.OwnSession.Dumped.Inode], context.ExcludedInodes!);
        Assert.Null(context.OwnedInodes);
        Assert.False(context.ExcludesEveryHeld);
        Assert.Empty(_observer.Messages);
    }

    [Fact]
    public void Exclusion_NoProcessHasTheName_IsAWarning()
    {
        _host.Add(new FakeProcess(300));
        Lookup("-s", "22", "--not-comm", "nobody").Find();
        Assert.Equal((Level.Warning, "no process matches --not-comm nobody, so it excludes no connection"), Assert.Single(_observer.Messages));
        Assert.False(_status.IsIncomplete);
    }

    /// <summary>Only the processes of that name have to be readable: what others hold does not matter.</summary>
    [Theory]
    [InlineData("worker", true)]
    [InlineData("sshd", false)]
    public void Exclusion_ProcessUnreadable_ExcludesEverySocketIfItHasTheName(string name, bool isUnknown)
    {
        _host.Add(new FakeProcess(300) { Refusal = Errno.EACCES });
        _host.Add(new FakeProcess(301) { Comm = "sshd"u8.ToArray() });
        RuleLookup lookup = Lookup("-s", "22", "--not-comm", name);
        lookup.Find();
        Assert.Equal(isUnknown, lookup.ContextOf(_host.Network).ExcludesEveryHeld);
        Assert.Equal((isUnknown, isUnknown), (_status.IsIncomplete, _status.IsNotPossible));
        Assert.Equal(isUnknown, _observer.Errors.Any(static error => error.StartsWith("--not-comm worker: ", StringComparison.Ordinal)));
    }

    [Fact]
    public void Exclusion_ProcessesHiddenByProc_ExcludesEverySocket()
    {
        AddHidden();
        RuleLookup lookup = Lookup("-s", "22", "--not-comm", "worker");
        lookup.Find();
        Assert.True(lookup.ContextOf(_host.Network).ExcludesEveryHeld);
        Assert.True(_status.IsIncomplete);
    }

    /// <summary>Sockets without a visible holder show that there are processes in another pid namespace.</summary>
    [Fact]
    public void Exclusion_HoldersInAnotherPidNamespace_ExcludesEverySocket()
    {
        var host = new FakeHost { IsInInitialPidNamespace = false };
        host.Add(new FakeTcp(new DumpedSocket { Inode = 5 }));
        RuleLookup lookup = Lookup(host, "-s", "22", "--not-comm", "worker");
        lookup.Find();
        Assert.True(lookup.ContextOf(host.Network).ExcludesEveryHeld);
    }

    private void AddHidden()
    {
        _host.Add(new FakeProcess(1) { IsHidden = true });
        _host.Add(new FakeProcess(300) { IsHidden = true });
    }

    private RuleLookup Lookup(FakeHost host, params string[] words) =>
        new(Words.Rule(words), host.Machine, new RoundReport(new ConnectionList(), [_observer], _status));

    private RuleLookup Lookup(params string[] words) =>
        new(Words.Rule(words), _host.Machine, new RoundReport(new ConnectionList(), [_observer], _status));
}
