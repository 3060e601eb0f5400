using TcpCloser.Diag;
using TcpCloser.Interop;
using TcpCloser.Report;
using TcpCloser.Tests.Support;

namespace TcpCloser.Tests.Runs;

/// <summary>What the names in a rule mean now, and what is said where they mean nothing or could not be looked up.</summary>
public sealed class RuleLookupTests : IDisposable
{
    private readonly FakeHost _host = new();
    private readonly RecordingObserver _observer = new();
    private readonly RoundStatus _status = new();
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void NothingToLookUp()
    {
        RuleLookup lookup = Lookup("-s", "22");
        Assert.Same(_host.Network, Assert.Single(lookup.Find()));
        Assert.Same(RuleContext.Empty, lookup.ContextOf(_host.Network));
        Assert.Empty(_host.Faults.Calls);
    }

    /// <summary>A device that is not there is told once a round, with the namespace where that has a name.</summary>
    [Fact]
    public void Devices()
    {
        RuleLookup lookup = Lookup("-s", "22", "--interface", "eth0", "--interface", "nowhere0", "--interface", "lo");
        var named = new FakeNamespace(_host.Kernel, "blue"u8.ToArray());
        for (int i = 0; i < 2; i++)
        {
            Assert.Equal([2u, 1u], lookup.ContextOf(_host.Network).Interfaces);
            Assert.Equal([2u, 1u], lookup.ContextOf(named).Interfaces);
            Assert.Null(lookup.ContextOf(named).AddressDevices);
            Assert.Null(lookup.ContextOf(named).CgroupIds);
        }

        Assert.Equal(
            [
                (Level.Warning, "no device nowhere0, so nothing of it matches"),
                (Level.Warning, "no device nowhere0 in netns blue, so nothing of it matches"),
            ],
            _observer.Messages);
        lookup.Close();
        _ = lookup.ContextOf(_host.Network);
        Assert.Equal(3, _observer.Messages.Count); // the next round
    }

    [Fact]
    public void DevicesOfAddresses()
    {
        RuleLookup lookup = Lookup("--src", "fe80::1%eth0", "--dst", "fe80::2%lo,fe80::3%lo,fd00::1", "--not-src", "fe80::4%nowhere0");
        RuleContext context = lookup.ContextOf(_host.Network);
        Assert.Equal([("eth0", 2u), ("lo", 1u), ("nowhere0", 0u)], context.AddressDevices!.Select(static pair => (pair.Key, pair.Value)));
        Assert.Null(context.Interfaces);
        Assert.Single(_observer.Messages);
    }

    [Fact]
    public void Cgroups()
    {
        string file = Path.Combine(_folder.Path, "file");
        File.WriteAllText(file, "");
        string loop = Path.Combine(_folder.Path, "loop");
        File.CreateSymbolicLink(loop, loop);
        RuleLookup lookup = Lookup("-s", "22", "--cgroup", _folder.Path, "--cgroup", Path.Combine(_folder.Path, "gone"),
            "--cgroup", Path.Combine(file, "below"), "--cgroup", loop);
        lookup.Find();
        RuleContext context = lookup.ContextOf(_host.Network);

        Assert.Equal([Stat.Inode(Fcntl.AT_FDCWD, _folder.BytesOf(""))], context.CgroupIds);
        Assert.Null(context.OwnedInodes);
        Assert.Equal(3, _observer.Messages.Count);
        Assert.Equal((Level.Warning, $"no cgroup {_folder.Path}/gone now, so nothing of it matches"), _observer.Messages[0]);
        Assert.Equal((Level.Warning, $"no cgroup {_folder.Path}/file/below now, so nothing of it matches"), _observer.Messages[1]);
        Assert.StartsWith($"finding the cgroup {loop}: ", Assert.Single(_observer.Errors), StringComparison.Ordinal); // ELOOP
        Assert.True(_status.IsIncomplete);
    }

    [Fact]
    public void Processes()
    {
        var scene = new ServerScene(_host);
        RuleLookup lookup = Lookup("--comm", "worker");
        lookup.Find();
        Assert.Equal([200, 201, 204, 202], lookup.NamedPids);
        Assert.Contains(scene.One.Dumped.Inode, lookup.ContextOf(_host.Network).OwnedInodes!);
        Assert.DoesNotContain(scene.OwnSession.Dumped.Inode, lookup.ContextOf(_host.Network).OwnedInodes!);
        Assert.Empty(_observer.Messages);
    }

    /// <summary>"Could not look" is never "is not there": where no descriptor of any could be read, nothing is possible here.</summary>
    [Theory]
    [InlineData(true, false)]
    [InlineData(false, true)]
    public void ProcessesThatCannotBeRead(bool oneCan, bool isNotPossible)
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
    public void NobodyOfThatName()
    {
        RuleLookup lookup = Lookup("--comm", "nobody");
        lookup.Find();
        Assert.Equal((Level.Warning, "no process has the id or the name that is asked for, so nothing matches"), Assert.Single(_observer.Messages));
        Assert.Empty(lookup.ContextOf(_host.Network).OwnedInodes!);
    }

    private RuleLookup Lookup(params string[] words) =>
        new(Words.Rule(words), _host.Machine, new RoundReport(new ConnectionList(), [_observer], _status));
}
