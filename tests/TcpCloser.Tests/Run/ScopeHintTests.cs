using TcpCloser.Run;

namespace TcpCloser.Tests.Run;

/// <summary>A run that matches nothing reports what it left out and would have found.</summary>
public sealed class ScopeHintTests
{
    private readonly ServerScene _scene = new(new FakeHost());

    [Fact]
    public void NothingMatched_OtherFamilyMatches_IsCounted()
    {
        Move(_scene.OverIPv6);
        Assert.Equal(["1 IPv6 connection matches: add -6"], Hints("-s", "8080"));
        Assert.Empty(Hints("-6", "-s", "8080"));
        Assert.Empty(Hints("-s", "8081"));
        Assert.Empty(Hints("-s", "8080", "--dst", "10.0.0.9"));
        Assert.Equal(["1 IPv4 connection matches: add -4"], Hints("-6", "-s", "5432"));
        Assert.Empty(Hints("-46", "-s", "8081"));
        foreach (FakeTcp socket in (FakeTcp[])[_scene.One, _scene.Shared])
        {
            socket.Dumped = socket.Dumped with { Family = 10, Source = "fd00::1", Destination = "fd00::2", SourcePort = 8080 };
        }

        Assert.Equal(["2 IPv6 connections match: add -6"], Hints("-4", "-s", "8080"));
    }

    [Fact]
    public void NothingMatched_ExchangedEndsMatch_AreCounted()
    {
        Move(_scene.One);
        const string Advice = "1 connection matches with the ends exchanged: -s and --src are the local end, -d and --dst the remote one";
        Assert.Equal([Advice], Hints("-d", "8080"));
        Assert.Equal([Advice], Hints("-d", "8080", "--src", _scene.One.Dumped.Destination, "--dst", _scene.One.Dumped.Source));
        Assert.Empty(Hints("-d", "8081"));
        Assert.Empty(Hints("-d", "8080", "--dst", "10.0.0.9"));
        Assert.Empty(Hints("--mark", "8080"));
    }

    [Fact]
    public void NothingMatched_OtherStatesMatch_AreCountedAndNamed()
    {
        Move(_scene.One, TcpState.CloseWait);
        Assert.Equal(["1 is in close-wait: add --state close-wait"], Hints("-s", "8080"));
        Move(_scene.Shared, TcpState.CloseWait);
        Move(_scene.BusyOne, TcpState.FinWait2);
        Assert.Equal(["1 is in fin-wait-2, 2 are in close-wait: add --state fin-wait-2,close-wait"], Hints("-46", "-s", "8080"));
        Assert.Empty(Hints("-s", "8080", "--state", "all"));
    }

    [Fact]
    public void NothingMatched_OtherFamilyInOtherState_NamesBothOptions()
    {
        Move(_scene.OverIPv6, TcpState.CloseWait);
        Assert.Equal(["1 IPv6 is in close-wait: add -6 --state close-wait"], Hints("-s", "8080"));
        Move(_scene.One, TcpState.FinWait1);
        Assert.Equal(["1 is in fin-wait-1: add --state fin-wait-1"], Hints("-s", "8080"));
    }

    [Fact]
    public void NothingMatched_OtherFamilyAndOtherStateMatch_AreInOneLine()
    {
        Move(_scene.OverIPv6);
        Move(_scene.One, TcpState.CloseWait);
        Assert.Equal(["1 IPv6 connection matches: add -6; 1 is in close-wait: add --state close-wait"], Hints("-s", "8080"));
    }

    /// <summary>Listeners are closed only if they are named, and a connection without a clock is never idle.</summary>
    [Fact]
    public void NothingMatched_OnlyListenersOrNoClock_GivesNoHint()
    {
        Move(_scene.One, TcpState.Listen);
        Move(_scene.Shared, TcpState.SynSent);
        Assert.Empty(Hints("-s", "8080", "-t", "1s"));
        Assert.Equal(["1 is in syn-sent: add --state syn-sent"], Hints("-s", "8080"));
        Assert.Empty(Hints("-s", "8080", "--probe", "3s"));
    }

    [Fact]
    public void NothingIdle_TimeTooLong_ReportsTheLongestIdleTime()
    {
        Assert.Equal(["no connection has been idle for 2h: the longest idle time is 1m00s"], Hints("-46", "-s", "22", "-t", "2h"));
        Assert.Empty(Hints("-q", "-46", "-s", "22", "-t", "2h"));
        Assert.Empty(Hints("-46", "-s", "22", "--last-recv-limit", "1ms"));
        Assert.Empty(Hints("-46", "-s", "22", "-t", "20ms", "--last-recv-limit", "30ms"));
    }

    [Fact]
    public void NothingIdle_Service_ReportsTheLongestIdleTimeOnce() => AssertOnce("-46", "-s", "22", "-t", "2h");

    /// <summary>Earlier results show that the service looks in the right place.</summary>
    [Fact]
    public void NothingLeft_ServiceThatFoundSomethingBefore_ReportsNothing()
    {
        Move(_scene.One);
        Move(_scene.Shared);
        _scene.Shared.Dumped = _scene.Shared.Dumped with { LastDataRecv = 5 };
        Move(_scene.OverIPv6);
        var observer = new RecordingObserver();
        Round round = Rounds.Make(_scene.Host.Machine, [observer], stop: null, "-s", "8080", "-t", "1s", "-i", "60");
        round.Run();
        Assert.Equal("destroy", _scene.One.EndedBy);
        round.Run();
        Assert.Empty(observer.Messages);
        _scene.Shared.End("its peer");
        round.Run();
        Assert.Empty(observer.Messages);
    }

    [Fact]
    public void NothingMatched_OtherNamespaces_AreCounted()
    {
        using var root = new TemporaryDirectory();
        string directory = Path.Combine(root.Path, "proc/self/ns");
        Directory.CreateDirectory(directory);
        File.CreateSymbolicLink(Path.Combine(directory, "net"), "/proc/self/ns/net");
        var machine = new Machine(_scene.Host.Network, _scene.Host.OpenProcesses, root.Path);
        Assert.Empty(Hints(machine, "-s", "8080"));

        // Other kinds of namespaces stand for other network namespaces: all that counts is that they differ.
        foreach ((int pid, string kind) in ((int, string)[])[(7, "uts"), (8, "uts"), (9, "net"), (10, "ipc")])
        {
            Directory.CreateDirectory(Path.Combine(root.Path, $"proc/{pid}/ns"));
            File.CreateSymbolicLink(Path.Combine(root.Path, $"proc/{pid}/ns/net"), $"/proc/self/ns/{kind}");
        }

        Assert.Equal(["2 other network namespaces were not looked at: add --all-netns"], Hints(machine, "-s", "8080"));
        Directory.Delete(Path.Combine(root.Path, "proc/10"), recursive: true);
        Assert.Equal(["1 other network namespace was not looked at: add --all-netns"], Hints(machine, "-s", "8080"));

        // If the program's own namespace is unknown, the number of other ones is unknown.
        Assert.Equal(0, NamespaceFinder.CountOthers(new OpenedFile(Errno.ENOENT, -1), root.Path));
    }

    [Fact]
    public void NothingMatched_NamedProcessInAnotherNamespace_NamesItsPid()
    {
        _scene.Host.Add(new FakeProcess(400) { NetworkNamespace = 4026532000, Comm = "nginx"u8.ToArray() });
        Assert.Equal(["pid 400 is in another network namespace: add --netns pid:400"], Hints("--comm", "nginx"));
        Assert.Empty(Hints("--pid", "45"));
        Assert.Empty(Hints("-s", "8080"));

        // A process whose namespace is unknown is not named.
        _scene.Host.Add(new FakeProcess(402) { NetworkNamespace = 0, Comm = "hidden"u8.ToArray() });
        Assert.Empty(Hints("--comm", "hidden"));
    }

    [Fact]
    public void NothingMatched_SeveralNamedProcessesInOtherNamespaces_NamesOnePidOfEach()
    {
        Add(400, 4026532000);
        Add(401, 4026532000);
        Assert.Equal(["2 of the named processes are in another network namespace: add --netns pid:400"], Hints("--comm", "nginx"));
        Add(402, 4026532001);
        Assert.Equal(["3 of the named processes are in 2 other network namespaces: add --netns pid:400 --netns pid:402"], Hints("--comm", "nginx"));
        Add(403, 4026532002);
        Add(404, 4026532003);
        Assert.Equal(["5 of the named processes are in 4 other network namespaces: add --all-netns"], Hints("--comm", "nginx"));

        void Add(int pid, ulong network) => _scene.Host.Add(new FakeProcess(pid) { NetworkNamespace = network, Comm = "nginx"u8.ToArray() });
    }

    [Fact]
    public void NothingMatched_DeviceSelected_MentionsBinding() =>
        Assert.Contains("SO_BINDTODEVICE", Assert.Single(Hints("-46", "--interface", "lo")), StringComparison.Ordinal);

    [Fact]
    public void NothingMatched_ServiceOrQuietRun_GivesTheHintOnceOrNever()
    {
        Move(_scene.OverIPv6);
        AssertOnce("-s", "8080");
        Assert.Empty(Hints("-q", "-s", "8080"));
    }

    [Fact]
    public void NothingMatched_DeviceMissing_WarnsOnce()
    {
        var observer = new RecordingObserver();
        Rounds.Make(_scene.Host.Machine, [observer], stop: null, "-s", "8080", "--interface", "nowhere0").Run();
        Assert.Single(observer.Messages, static message => message.Level == Level.Warning);
    }

    private static void Move(FakeTcp socket, byte state = TcpState.Established) => socket.Dumped = socket.Dumped with { SourcePort = 8080, State = state };

    /// <summary>A service gives the hint in its first round only.</summary>
    private void AssertOnce(params string[] words)
    {
        var observer = new RecordingObserver();
        Round round = Rounds.Make(_scene.Host.Machine, [observer], stop: null, [.. words, "-i", "60"]);
        round.Run();
        Assert.Single(observer.Messages);
        round.Run();
        Assert.Empty(observer.Messages);
    }
    private string[] Hints(params string[] words) => Hints(_scene.Host.Machine, words);

    private static string[] Hints(Machine machine, params string[] words)
    {
        var observer = new RecordingObserver();
        Assert.Equal(ExitStatus.Done, Rounds.Make(machine, [observer], stop: null, words).Run());
        return [.. observer.Messages.Where(static message => message.Level == Level.Info).Select(static message => message.Text)];
    }
}
