using TcpCloser.Run;

namespace TcpCloser.Tests.Run;

/// <summary>Rounds with <c>--only</c>: what is closed, what is not found, and a file that changes.</summary>
public sealed class OnlyTests : IDisposable
{
    private readonly ServerScene _scene = new(new FakeHost());
    private readonly RecordingObserver _observer = new();
    private readonly TemporaryDirectory _directory = new();

    private string List => Path.Combine(_directory.Path, "list");

    public void Dispose() => _directory.Dispose();

    [Fact]
    public void Round_PairsAndCookies_ClosesExactlyThese()
    {
        Write(Ends(_scene.One), $"{Ends(_scene.Shared)} sk:{_scene.Shared.Dumped.Cookie:x}", $"{Ends(_scene.OtherPort)} sk:1", "10.0.0.1:22 10.0.0.2:1", Ends(_scene.One));
        Assert.Equal(ExitStatus.Done, Run());
        AssertClosed(_scene.One, _scene.Shared);
        Assert.Equal((2, 2), (_observer.Counts!.Matched, _observer.Counts.NotFound));
    }

    [Fact]
    public void Round_OtherOptions_AlsoHaveToHold()
    {
        Write(Ends(_scene.One), Ends(_scene.OtherPort), Ends(_scene.BusyOne));
        Assert.Equal(ExitStatus.Done, Run("-s", "22", "-t", "10s"));
        AssertClosed(_scene.One);
        Assert.Equal((2, 1), (_observer.Counts!.Matched, _observer.Counts.NotFound));
    }

    [Theory]
    [Rows("-4 | 2", "-6 | 2", "-46 | 3")]
    public void Round_IPv4OnBothKindsOfSockets_FamilyDecides(string family, int matched)
    {
        _scene.Shared.Dumped = _scene.Shared.Dumped with { Family = 10, Source = "::ffff:10.0.0.1", Destination = "::ffff:10.0.0.2" };
        Write(Ends(_scene.One), Ends(_scene.Shared), Ends(_scene.OverIPv6));
        Run("-n", family);
        Assert.Equal((matched, 3 - matched), (_observer.Counts!.Matched, _observer.Counts.NotFound));
    }

    [Fact]
    public void Round_Verbose_LogsEachThatWasNotFound()
    {
        Write(Ends(_scene.One), "10.0.0.1:22 10.0.0.2:1", "[fe80::1]%eth9:22 [fe80::2]:1", $"{Ends(_scene.Shared)} sk:ab",
            """{"netns":"blue","local_address":"::1","local_port":1,"remote_address":"::1","remote_port":2,"cookie":"c"}""");
        Run("-n", "-v");
        Assert.Equal(
            [
                "skipped 10.0.0.1:22 -> 10.0.0.2:1 reason=not_found",
                "skipped [fe80::1%eth9]:22 -> [fe80::2]:1 reason=not_found",
                $"skipped {Ends(_scene.Shared).Replace(" ", " -> ", StringComparison.Ordinal)} reason=not_found cookie=ab",
                "skipped [::1]:1 -> [::1]:2 reason=not_found cookie=c netns=blue",
            ],
            _observer.Messages.Where(static message => message.Text.StartsWith("skipped", StringComparison.Ordinal)).Select(static message => message.Text));
    }

    [Fact]
    public void Round_EmptyList_MatchesNothingAndIsReported()
    {
        Write();
        Assert.Equal(ExitStatus.Done, Run());
        Assert.Equal((Level.Info, $"--only {List} names no connection, so nothing matches"), Assert.Single(_observer.Messages));
        Assert.Equal((0, 0), (_observer.Counts!.Matched, _observer.Counts.NotFound));
    }

    [Fact]
    public void Round_NothingMatched_HintsAtTheOtherState()
    {
        _scene.One.Dumped = _scene.One.Dumped with { State = TcpState.CloseWait };
        Write(Ends(_scene.One));
        Run();
        Assert.Equal((Level.Info, "1 is in close-wait: add --state close-wait"), Assert.Single(_observer.Messages));
        Assert.Equal(1, _observer.Counts!.NotFound);
    }

    [Fact]
    public void Rounds_FileChanges_IsReadAgain()
    {
        Write(Ends(_scene.One));
        Round round = Rounds.Make(_scene.Host.Machine, [_observer], stop: null, "--only", List, "-i", "60");
        round.Run();
        AssertClosed(_scene.One);

        Write(Ends(_scene.One), Ends(_scene.OtherPort));
        round.Run();
        AssertClosed(_scene.One, _scene.OtherPort);
        Assert.Equal(1, _observer.Counts!.NotFound);

        Write(Ends(_scene.Shared), "x");
        Assert.Equal(ExitStatus.Incomplete, round.Run());
        Assert.StartsWith($"reading the connections of --only from '{List}', line 2: EINVAL ", Assert.Single(_observer.Errors), StringComparison.Ordinal);

        File.Delete(List);
        Assert.Equal(ExitStatus.Incomplete, round.Run());
        Assert.StartsWith($"reading the connections of --only from '{List}': ENOENT ", Assert.Single(_observer.Errors), StringComparison.Ordinal);
        AssertClosed(_scene.One, _scene.OtherPort);

        Write(Ends(_scene.Shared));
        Assert.Equal(ExitStatus.Done, round.Run());
        AssertClosed(_scene.One, _scene.OtherPort, _scene.Shared);
    }

    /// <summary>A record of a namespace does not match a connection with the same endpoints in another one, whose names are as in /run/netns.</summary>
    [Theory]
    [Rows("blue | blue | true", "blue | red | false", "blue | null | false", "null | red | true", "null | null | true")]
    public void Filter_Namespace_HasToBeThatOfTheRecord(string? named, string? actual, bool matches)
    {
        string netns = named is null ? "" : $"\"netns\":\"{named}\",";
        Write($$"""{{{netns}}"local_address":"10.0.0.1","local_port":22,"remote_address":"10.0.0.2","remote_port":80}""");
        Assert.Equal(matches, Matches(Connections.Of("10.0.0.1:22 10.0.0.2:80"), actual));
    }

    /// <summary>The devices of the fake namespace: lo is 1, eth0 is 2.</summary>
    [Theory]
    [Rows("[fe80::1]%eth0:22 [fe80::2]:80 | 2 | true", "[fe80::1]%eth0:22 [fe80::2]:80 | 1 | false", "[fe80::1]%gone0:22 [fe80::2]:80 | 0 | false",
        "[fe80::1]:22 [fe80::2]:80 | 2 | true", "[fe80::1]%eth0:22 [fe80::2]:80 sk:1122334455667788 | 1 | true")]
    public void Filter_Device_HasToBeThatOfTheLine(string line, uint device, bool matches)
    {
        Write(line);
        Connection connection = Connections.Of("fe80::1:22 fe80::2:80");
        connection.Interface = device;
        Assert.Equal(matches, Matches(connection, null));
    }

    [Theory]
    [Rows("10.0.0.1:22 10.0.0.2:80 | true", "10.0.0.2:80 10.0.0.1:22 | false", "10.0.0.1:22 10.0.0.2:81 | false", "10.0.0.1:22 10.0.0.3:80 | false",
        "[::ffff:10.0.0.1]:22 [::ffff:10.0.0.2]:80 | true", "10.0.0.1:22 10.0.0.2:80 sk:1122334455667788 | true",
        "10.0.0.1:22 10.0.0.2:80 sk:1122334455667789 | false")]
    public void Filter_EndsAndCookie_AllHaveToBeEqual(string line, bool matches)
    {
        Write(line);
        Assert.Equal(matches, Matches(Connections.Of("10.0.0.1:22 10.0.0.2:80"), null));
        Assert.Equal(matches, Matches(Connections.Of("::ffff:10.0.0.1:22 ::ffff:10.0.0.2:80"), null));
    }

    /// <summary>A listing that starts again, or that fails, has found nothing.</summary>
    [Fact]
    public void Filter_FoundIsForgotten_CountsAsNotFoundAgain()
    {
        Write("10.0.0.1:22 10.0.0.2:80", "10.0.0.1:22 10.0.0.2:80 sk:1122334455667788", "1.1.1.1:1 2.2.2.2:2");
        OnlyFilter filter = Filter(null, out NamedConnections named);
        Connection connection = Connections.Of("10.0.0.1:22 10.0.0.2:80");
        filter.MarkFound(in connection);
        filter.MarkFound(in connection);
        Assert.Equal(1, named.NotFound);
        filter.ForgetFound();
        Assert.Equal(3, named.NotFound);
        filter.MarkFound(in connection);
        named.ForgetFound();
        Assert.Equal(3, named.NotFound);
    }

    /// <summary>The kernel's filter accepts every listed connection, and an empty list rejects all.</summary>
    [Fact]
    public void Bytecode_ListedPorts_AreAccepted()
    {
        Write("10.0.0.1:22 10.0.0.2:80", "10.0.0.1:23 10.0.0.2:90", "10.0.0.1:65535 10.0.0.2:1");
        byte[] code = Words.Compile(Words.Select("--only", List), new RuleContext { Only = Filter(null, out _) });
        Assert.Null(BytecodeAudit.Refusal(code));
        Assert.True(Accepts(code, 22, 80) && Accepts(code, 23, 90) && Accepts(code, 65535, 1));
        Assert.False(Accepts(code, 24, 80) || Accepts(code, 22, 81) || Accepts(code, 1, 65535));
        Write();
        code = Words.Compile(Words.Select("--only", List), new RuleContext { Only = Filter(null, out _) });
        Assert.Null(BytecodeAudit.Refusal(code));
        Assert.False(Accepts(code, 22, 80));
    }

    private static bool Accepts(byte[] code, ushort source, ushort destination) =>
        BytecodeInterpreter.Accepts(code, FilterEntry.Between("10.0.0.1", source, "10.0.0.2", destination));

    private static string Ends(FakeTcp socket)
    {
        DumpedSocket dumped = socket.Dumped;
        return $"{End(dumped.Source)}:{dumped.SourcePort} {End(dumped.Destination)}:{dumped.DestinationPort}";
        static string End(string address) => address.StartsWith("::ffff:", StringComparison.Ordinal) ? address[7..]
            : address.Contains(':', StringComparison.Ordinal) ? $"[{address}]"
            : address;
    }

    private void AssertClosed(params FakeTcp[] closed) => Assert.Equal(
        closed.Select(static socket => socket.Dumped.Cookie).Order(),
        _scene.Host.Sockets.Where(static socket => !socket.IsOpen).Select(static socket => socket.Dumped.Cookie).Order());

    private void Write(params string[] lines) => File.WriteAllLines(List, lines);
    private ExitStatus Run(params string[] words) => Rounds.Make(_scene.Host.Machine, [_observer], stop: null, ["--only", List, .. words]).Run();
    private bool Matches(Connection connection, string? netns) => Filter(netns, out _).Contains(in connection);

    private OnlyFilter Filter(string? netns, out NamedConnections named)
    {
        Rule rule = Words.Rule("--only", List);
        var lookup = new RuleLookup(rule, _scene.Host.Machine, new RoundReport(new ConnectionList(), [_observer], new RoundStatus(new Rule())));
        lookup.Find();
        named = lookup.NamedConnections!;
        var network = new FakeNamespace(_scene.Host.Kernel, netns is null ? null : System.Text.Encoding.UTF8.GetBytes(netns));
        return lookup.ContextOf(network).Only!;
    }
}
