using TcpCloser.Run;

namespace TcpCloser.Tests.Run;

/// <summary>The processes that a rule names or excludes, and what is reported if they cannot be inspected.</summary>
public sealed class ProcessLookupTests
{
    private readonly FakeHost _host = new();
    private readonly RecordingObserver _observer = new();
    private readonly RoundStatus _status = new(new Rule());
    private RuleLookup? _lookup;

    [Fact]
    public void Processes_SelectedByName_AreFoundWithTheirSockets()
    {
        var scene = new ServerScene(_host);
        RuleContext context = Find("--comm", "worker");
        Assert.Equal([200, 201, 204, 202], _lookup!.NamedPids);
        Assert.Contains(scene.One.Dumped.Inode, context.OwnedInodes!);
        Assert.DoesNotContain(scene.OwnSession.Dumped.Inode, context.OwnedInodes!);
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

        Find("--comm", "worker");
        Assert.Contains("EACCES", Assert.Single(_observer.Errors), StringComparison.Ordinal);
        Assert.Equal((true, isNotPossible), (_status.IsIncomplete, _status.IsNotPossible));
    }

    [Fact]
    public void Processes_NoneHasTheName_IsAWarning()
    {
        Assert.Empty(Find("--comm", "nobody").OwnedInodes!);
        Assert.Equal((Level.Warning, "no process matches --comm nobody, so no connection does"), Assert.Single(_observer.Messages));
    }

    /// <summary>
    /// Hidden processes may also have the name. A pid that was found is the selected process, and /proc never hides a user's own processes.
    /// </summary>
    [Theory]
    [Rows("--comm worker | false | true | true", "--pid 300 | false | true | true", "--comm worker | true | true | false", "--pid 301 | true | false | false",
        "--comm worker --uid 1000 | true | false | false")]
    public void Processes_SomeHiddenByProc_AreReportedIfTheyMayBeSelected(string[] words, bool isOneVisible, bool isIncomplete, bool isNotPossible)
    {
        AddHidden();
        if (isOneVisible)
        {
            _host.Add(new FakeProcess(301));
            _host.Add(new FakeProcess(_host.Self) { Comm = "tcp-closer"u8.ToArray() });
        }

        Find(words);
        Assert.Equal(isOneVisible ? [301] : [], _lookup!.NamedPids);
        Assert.Equal(isIncomplete ? 1 : 0, _observer.Messages.Count);
        Assert.All(_observer.Errors, static error => Assert.Matches("^seeing other users' processes in /proc: ENOENT.*hidepid=", error));
        Assert.Equal(isIncomplete ? 1 : 0, _observer.Errors.Count());
        Assert.Equal((isIncomplete, isNotPossible), (_status.IsIncomplete, _status.IsNotPossible));
    }

    [Fact]
    public void Processes_PidMissingAndOthersHidden_IsAWarning()
    {
        AddHidden();
        Find("--pid", "77");
        Assert.StartsWith("no process matches ", Assert.Single(_observer.Messages).Text, StringComparison.Ordinal);
        Assert.False(_status.IsIncomplete);
    }

    [Theory]
    [Rows("true | false | true", "false | true | true", "false | false | false")]
    public void Processes_NoneFoundInAnInnerPidNamespace_AreAProblemIfSocketsAreUnheld(bool isInitialNetwork, bool hasUnheldSocket, bool isProblem)
    {
        (_host.IsInInitialPidNamespace, _host.IsInInitialNetworkNamespace) = (false, isInitialNetwork);
        if (hasUnheldSocket)
        {
            _host.Add(new FakeTcp(new DumpedSocket { Inode = 5 }));
        }

        Find("--comm", "worker");
        Assert.Equal((isProblem, isProblem), (_status.IsIncomplete, _status.IsNotPossible));
        Assert.StartsWith(isProblem ? "finding the processes that hold the sockets" : "no process matches ", Assert.Single(_observer.Messages).Text, StringComparison.Ordinal);
    }

    [Fact]
    public void Exclusion_ByName_HasTheInodesOfTheProcesses()
    {
        var scene = new ServerScene(_host);
        RuleContext context = Find("-s", "22", "--not-comm", "sshd-session,nobody");
        Assert.Equal([scene.OwnSession.Dumped.Inode], context.ExcludedInodes!);
        Assert.Null(context.OwnedInodes);
        Assert.False(context.ExcludesEveryHeld);
        Assert.Empty(_observer.Messages);
    }

    [Fact]
    public void Exclusion_NoProcessHasTheName_IsAWarning()
    {
        _host.Add(new FakeProcess(300));
        Find("-s", "22", "--not-comm", "nobody");
        Assert.Equal((Level.Warning, "no process matches --not-comm nobody, so it excludes no connection"), Assert.Single(_observer.Messages));
        Assert.False(_status.IsIncomplete);
    }

    /// <summary>Only the processes of that name have to be readable: what others hold does not matter.</summary>
    [Theory]
    [Rows("worker | true", "sshd | false")]
    public void Exclusion_ProcessUnreadable_ExcludesEverySocketIfItHasTheName(string name, bool isUnknown)
    {
        _host.Add(new FakeProcess(300) { Refusal = Errno.EACCES });
        _host.Add(new FakeProcess(301) { Comm = "sshd"u8.ToArray() });
        Assert.Equal(isUnknown, Find("-s", "22", "--not-comm", name).ExcludesEveryHeld);
        Assert.Equal((isUnknown, isUnknown), (_status.IsIncomplete, _status.IsNotPossible));
        Assert.Equal(isUnknown, _observer.Errors.Any(static error => error.StartsWith("--not-comm worker: ", StringComparison.Ordinal)));
    }

    /// <summary>Sockets without a visible holder show that there are processes in another pid namespace.</summary>
    [Theory]
    [Values(true, false)]
    public void Exclusion_ProcessesHiddenOrInAnotherPidNamespace_ExcludesEverySocket(bool areHidden)
    {
        if (areHidden)
        {
            AddHidden();
        }
        else
        {
            _host.IsInInitialPidNamespace = false;
            _host.Add(new FakeTcp(new DumpedSocket { Inode = 5 }));
        }

        Assert.True(Find("-s", "22", "--not-comm", "worker").ExcludesEveryHeld);
        Assert.True(_status.IsIncomplete);
    }

    private void AddHidden()
    {
        _host.Add(new FakeProcess(1) { IsHidden = true });
        _host.Add(new FakeProcess(300) { IsHidden = true });
    }

    private RuleContext Find(params string[] words)
    {
        _lookup = new RuleLookup(Words.Rule(words), _host.Machine, new RoundReport(new ConnectionList(), [_observer], _status));
        _lookup.Find();
        return _lookup.ContextOf(_host.Network);
    }
}
