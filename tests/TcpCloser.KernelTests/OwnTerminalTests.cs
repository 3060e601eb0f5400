namespace TcpCloser.KernelTests;

/// <summary>
/// In tmux or screen the ancestors do not lead to the attached clients, and the variables are those of whoever started the server:
/// clients that are attached now keep their connections. If ancestors cannot be inspected, all connections of login daemons are
/// spared.
/// </summary>
public sealed class OwnTerminalTests
{
    [Theory]
    [Values("tmux", "screen")]
    public void Run_InsideAMultiplexerWithoutVariables_SparesTheAttachedClient(string program)
    {
        Multiplexer multiplexer = new(program);
        using var server = Start();
        using var session = server.StartTerminal(multiplexer.StartAttached);
        AwaitAttached(server, multiplexer, session, "one");
        using var idle = server.StartIdleSession();

        string[] log = RunInside(server, multiplexer, "-s 2222");

        AssertSpared(log, spared: 1, closed: 1);
        Assert.NotEqual(0, idle.WaitForEnd().ExitCode);
        AwaitAttached(server, multiplexer, session, "two"); // it is alive
    }

    /// <summary>The variable names a connection that is gone.</summary>
    [Theory]
    [Values("tmux", "screen")]
    public void Run_ClientAttachedFromAnotherLogin_IsSpared(string program)
    {
        Multiplexer multiplexer = new(program);
        using var server = Start();
        server.Run(multiplexer.StartDetached).Expect(0);
        Until.True(() => server.Home.Connections(SshServer.Port) == 0, "the end of the first login");
        using var session = server.StartTerminal(multiplexer.Attach);
        AwaitAttached(server, multiplexer, session, "one");
        using var idle = server.StartIdleSession();

        // Seen from either end, by any method.
        AssertSpared(RunInside(server, multiplexer, "-d 2222 -n"), spared: 1, closed: 0);
        string[] log = RunInside(server, multiplexer, "-s 2222 --method disconnect");

        AssertSpared(log, spared: 1, closed: 1);
        Assert.NotEqual(0, idle.WaitForEnd().ExitCode);
        AwaitAttached(server, multiplexer, session, "two");
    }

    [Fact]
    public void Run_SeveralClientsAttached_SparesAll()
    {
        Multiplexer multiplexer = new("tmux");
        using var server = Start();
        using var session = server.StartTerminal(multiplexer.StartAttached);
        AwaitAttached(server, multiplexer, session, "one");
        using var second = server.StartTerminal(multiplexer.Attach);
        AwaitAttached(server, multiplexer, second, "two");
        using var idle = server.StartIdleSession();

        AssertSpared(RunInside(server, multiplexer, "-s 2222 --use-proc"), spared: 2, closed: 1);

        AwaitAttached(server, multiplexer, session, "three");
        AwaitAttached(server, multiplexer, second, "four");
        AssertSpared(RunInside(server, multiplexer, "-s 2222 --include-own-session"), spared: 0, closed: 2);
        Assert.NotEqual(0, session.WaitForEnd().ExitCode);
        Assert.NotEqual(0, second.WaitForEnd().ExitCode);
    }

    [Theory]
    [Values("tmux", "screen")]
    public void Run_NoClientAttached_SparesNone(string program)
    {
        Multiplexer multiplexer = new(program);
        using var server = Start();
        server.Run(multiplexer.StartDetached).Expect(0);
        Until.True(() => server.Home.Connections(SshServer.Port) == 0, "the end of the first login");
        using var idle = server.StartIdleSession();
        AssertSpared(RunInside(server, multiplexer, "-s 2222"), spared: 0, closed: 1);
    }

    [Fact]
    public void Run_AncestorsCannotBeInspected_SparesAllLoginsWithAWarning()
    {
        using var server = Start();
        using var other = Users.StartLab(server.Home.Lab, Users.Somebody, "--count", "2", "--client-process");
        using var idle = server.StartIdleSession();
        string become = $"setpriv --reuid {Users.Somebody} --regid {Users.Somebody} --clear-groups --inh-caps +net_admin --ambient-caps +net_admin env -i";

        var result = server.Run($"{become} {Binaries.Tool} -s 2222,{LabProcess.Port} --disable-syslog").Expect(0, "matched=4 spared=2 closed=2");

        other.ExpectState("server aborted=2");
        string warning = Assert.Single(result.Log, line => line.Contains(" warning "));
        Assert.Contains("2 connections of login daemons", warning, StringComparison.Ordinal);
        Assert.Contains("--include-own-session", warning, StringComparison.Ordinal);
        Assert.False(idle.HasExited);

        // With --include-own-session they are closed; the connection breaks, so the log is a file.
        server.Home.Run("install -m 666 /dev/null /mnt/log").Expect(0);
        server.Run($"{become} {Binaries.Tool} -s 2222 --include-own-session --disable-syslog -f /mnt/log");
        Until.True(() => server.Home.Run("cat /mnt/log").Stdout.Contains("summary"), "the summary in the log file");
        Assert.Equal(2, Result.Summary(server.Home.Run("cat /mnt/log").Stdout.Split('\n'), "closed"));
        Assert.NotEqual(0, idle.WaitForEnd().ExitCode);
    }

    private static SshServer Start()
    {
        var server = SshServer.Start();
        server.Home.Run(Multiplexer.Prepare).Expect(0);
        return server;
    }

    /// <summary>Waits until a session shows the text that is typed into the multiplexer.</summary>
    private static void AwaitAttached(SshServer server, Multiplexer multiplexer, Command session, string word)
    {
        Until.True(() => server.Home.Run(multiplexer.Type($"echo see\"\"n-{word}")).ExitCode == 0, "a server to type into");
        session.Await($"seen-{word}");
    }

    private static string[] RunInside(SshServer server, Multiplexer multiplexer, string arguments)
    {
        server.Home.Run("rm -f /mnt/log /mnt/exit").Expect(0);
        Until.True(
            () => server.Home.Run(multiplexer.Type($"{Binaries.Tool} {arguments} --disable-syslog -f /mnt/log; echo $? >/mnt/exit")).ExitCode == 0, "a server to type into");
        string exit = "";
        Until.True(() => (exit = server.Home.Run("cat /mnt/exit").Stdout).EndsWith('\n'), "the end of the tool");
        Assert.Equal("0\n", exit);
        return server.Home.Run("cat /mnt/log").Stdout.Split('\n', StringSplitOptions.RemoveEmptyEntries);
    }

    private static void AssertSpared(string[] log, int spared, int closed)
    {
        Assert.True(Result.Summary(log, "spared") == spared, string.Join('\n', log));
        Assert.Equal(closed, Result.Summary(log, "closed"));
        Assert.Equal(spared, log.Count(line => line.Contains(" info spared ")));
        Assert.Equal(0, Result.Summary(log, "failed"));
    }
}
