using TcpCloser.Report;
using TcpCloser.Tests.Support;

namespace TcpCloser.Tests.Runs;

/// <summary>A run that matches nothing says what it did not look at, and would have found.</summary>
public sealed class ScopeHintTests
{
    private readonly ServerScene _scene = new(new FakeHost());

    [Fact]
    public void TheOtherFamily()
    {
        _scene.Of6.Dumped = _scene.Of6.Dumped with { SourcePort = 8080 };
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
    public void TheNamespaceOfANamedProcess()
    {
        _scene.Host.Add(new FakeProcess(400) { NetworkNamespace = 4026532000, Comm = "nginx"u8.ToArray() });
        Assert.Equal(["pid 400 is in another network namespace: add --netns pid:400"], Hints("--comm", "nginx"));
        Assert.Empty(Hints("--pid", "45"));
        Assert.Empty(Hints("-s", "8080"));

        // Of one it is said; and nothing of those about which it cannot be known.
        _scene.Host.Add(new FakeProcess(401) { NetworkNamespace = 4026532000, Comm = "nginx"u8.ToArray() });
        Assert.Single(Hints("--comm", "nginx"));
        _scene.Host.Add(new FakeProcess(402) { NetworkNamespace = 0, Comm = "hidden"u8.ToArray() });
        Assert.Empty(Hints("--comm", "hidden"));
    }

    [Fact]
    public void ADeviceThatOnlyRoutes() => Assert.Contains("SO_BINDTODEVICE", Assert.Single(Hints("-46", "--interface", "lo")), StringComparison.Ordinal);

    [Fact]
    public void AServiceSaysItOnceAndAQuietRunNever()
    {
        _scene.Of6.Dumped = _scene.Of6.Dumped with { SourcePort = 8080 };
        var observer = new RecordingObserver();
        Round round = Rounds.Make(_scene.Host.Machine, [observer], stop: null, "-s", "8080", "-i", "60");
        round.Run();
        Assert.Single(observer.Messages);
        round.Run();
        Assert.Empty(observer.Messages);
        Assert.Empty(Hints("-q", "-s", "8080"));
    }

    [Fact]
    public void ADeviceThatIsNotThereIsToldOnce()
    {
        var observer = new RecordingObserver();
        Rounds.Make(_scene.Host.Machine, [observer], stop: null, "-s", "8080", "--interface", "nowhere0").Run();
        Assert.Single(observer.Messages, static message => message.Level == Level.Warning);
    }

    private string[] Hints(params string[] words)
    {
        var observer = new RecordingObserver();
        Assert.Equal(ExitStatus.Done, Rounds.Make(_scene.Host.Machine, [observer], stop: null, words).Run());
        return [.. observer.Messages.Where(static message => message.Level == Level.Info).Select(static message => message.Text)];
    }
}
