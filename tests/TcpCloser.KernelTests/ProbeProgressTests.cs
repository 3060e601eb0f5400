namespace TcpCloser.KernelTests;

/// <summary>A run on a terminal shows the progress of probing in one line that is erased at the end; no other run does.</summary>
public sealed class ProbeProgressTests
{
    private const string Port = "7000";
    private const int Silent = 300;

    /// <summary>Runs that do not show progress: their last arguments, and the shell's redirection.</summary>
    private static readonly (string Words, string Redirection)[] s_runsWithoutProgress =
    [
        ("-q", ""),
        ("-i 1h", ""),
        ("", "2>&1 | cat"),
        ("--json", "2>/dev/null"),
    ];

    [Fact]
    public void Progress_RunOnATerminal_IsOneLineAndErasedAtTheEnd()
    {
        using var path = Connect();
        using Command terminal = Start(path, "--probe 5s -n", "");
        string shown = terminal.WaitForEnd().Expect(0).Stdout;

        Assert.DoesNotContain('\x1b', shown);
        string[] states = [.. shown.Split('\r').Where(static text => text.StartsWith("probing: ", StringComparison.Ordinal))];
        Assert.InRange(states.Length, 3, 5 * 5);
        Assert.All(states, static text => Assert.Matches("^probing: 302 probed, 2 answered, 300 silent so far, [0-9] s left *$", text));
        Assert.All(states, static text => Assert.InRange(text.Length, 1, 79)); // a terminal would wrap a longer line
        string[] lines = Screen(shown);
        Assert.DoesNotContain(lines, static line => line.Contains("probing"));
        Assert.Equal(2 + Silent + 1, lines.Length); // the first line, the table, the summary
        Assert.Equal(2, lines.Count(static line => line.StartsWith("20", StringComparison.Ordinal) && line.Contains(" info ")));
    }

    [Fact]
    public void Progress_QuietOrServiceOrNoTerminal_IsNotShown()
    {
        using var path = Connect();
        Command[] terminals = [.. s_runsWithoutProgress.Select(run => Start(path, $"--probe 3s -n {run.Words}", run.Redirection))];
        Thread.Sleep(3_500);
        foreach (Command terminal in terminals)
        {
            string shown = terminal.Stdout;
            terminal.Dispose();
            Assert.DoesNotContain("probing", shown, StringComparison.Ordinal);
        }

        Result plain = path.Tool("-n", "-d", Port, "--probe", "3s").Run().Expect(0);
        Assert.DoesNotContain("probing", plain.Stderr + plain.Stdout, StringComparison.Ordinal);
    }

    /// <summary>
    /// Ctrl-C while peers are probed: the progress line is erased, nothing is closed, and there is not one error for each
    /// connection.
    /// </summary>
    [Fact]
    public void Progress_ControlC_ErasesTheLineAndLogsOneError()
    {
        using var path = Connect();
        using Command terminal = Start(path, "--probe 1m", "");
        terminal.Await("probing: ");
        terminal.Write("\x03");
        string shown = terminal.WaitForEnd().Expect(1).Stdout;

        string[] lines = Screen(shown);
        Assert.DoesNotContain(lines, static line => line.Contains("probing"));
        Assert.Single(lines, static line => line.Contains(" interrupted by SIGINT: "));
        Assert.InRange(lines.Length, 3, 10);
    }

    private static NetworkPath Connect()
    {
        NetworkPath path = NetworkPath.Fast();
        _ = path.Connect(2);
        SocketRange silent = path.ConnectSilent(Silent);
        return path;
    }

    private static Command Start(NetworkPath path, string words, string redirection)
    {
        ToolRun run = path.Tool();
        return Command.Start([.. run.Inside, "script", "-qec", $"exec {Binaries.Tool} -d {Port} {words} --disable-syslog {redirection}", "/dev/null"]);
    }

    /// <summary>The final contents of a screen that interprets only carriage return and newline.</summary>
    private static string[] Screen(string written)
    {
        List<StringBuilder> lines = [new()];
        int column = 0;
        foreach (char c in written)
        {
            if (c == '\n')
            {
                lines.Add(new StringBuilder());
                column = 0;
            }
            else if (c == '\r')
            {
                column = 0;
            }
            else
            {
                StringBuilder line = lines[^1];
                _ = column < line.Length ? line.Remove(column, 1).Insert(column, c) : line.Append(c);
                column++;
            }
        }

        return [.. lines.Select(static line => line.ToString().TrimEnd()).Where(static line => line.Length > 0)];
    }
}
