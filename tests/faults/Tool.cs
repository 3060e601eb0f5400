namespace TcpCloser.Faults;

/// <summary>A finished run of the program: how it ended, and everything that it wrote.</summary>
/// <param name="ExitStatus">As in a shell: 128 plus the signal, if one ended it.</param>
/// <param name="Hung">Whether it did not end in time and was killed.</param>
/// <param name="Stdout">The records, the table, or other output.</param>
/// <param name="Stderr">The log, unless it has a file, and the lines that the file did not accept.</param>
/// <param name="LogFile">The text of the log file.</param>
/// <param name="Trace">The system calls, as strace recorded them.</param>
internal sealed record Run(int ExitStatus, bool Hung, string Stdout, string Stderr, string LogFile, Trace Trace)
{
    internal const int FirstSignal = 128;

    internal bool Died => ExitStatus >= FirstSignal;

    /// <summary>The log, wherever it went.</summary>
    internal string Log => LogFile + Stderr;
}

/// <summary>Runs the program under strace, which makes one call fail, and waits for its end, up to a limit.</summary>
internal sealed class Tool(Mode mode, Stage stage, string directory)
{
    private static readonly TimeSpan s_limit = TimeSpan.FromSeconds(60);
    /// <summary>The time in which a service has to close the matching connections: one round, or two if the first one failed.</summary>
    private static readonly TimeSpan s_serviceLimit = TimeSpan.FromSeconds(5);
    /// <summary>A signal ends a service within a second; the rest is a margin for strace on a busy machine.</summary>
    private static readonly TimeSpan s_endLimit = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan s_pause = TimeSpan.FromMilliseconds(10);
    private readonly string _trace = Path.Combine(directory, "trace");
    private readonly string _log = Path.Combine(directory, "log");

    /// <summary>Whether this build has the option, according to its help.</summary>
    internal static bool Knows(string option) => Command.Run(Binaries.Tool, "--help").Stdout.Contains(option);

    internal Run Record() => Start(["-e", "trace=all"]);

    internal Run Fail(Call call, Fault fault)
        => Start(["--seccomp-bpf", "-e", $"trace={call.Name},fcntl", "-e", $"inject={call.Name}:{fault.Text}:when={call.Occurrence}"]);

    private Run Start(string[] strace)
    {
        File.Delete(_log);
        File.Delete(_trace);
        string[] arguments = Array.ConvertAll(mode.Arguments, argument => argument
            .Replace("{port}", $"{stage.Port}")
            .Replace("{other-port}", $"{stage.PortInOtherNamespace}")
            .Replace("{dir}", directory));
        using var process = Command.Start(
            [.. mode.Wrapper, "strace", "-f", "-y", "-qq", "-e", "signal=none", "-o", _trace, .. strace, "--", Binaries.Tool, .. arguments]);
        process.CloseStdin();
        bool hung = !(mode.Service ? EndService(process) : process.EndsWithin(s_limit));
        process.Kill();
        Result result = process.WaitForEnd();
        return new Run(result.ExitCode, hung, result.Stdout, result.Stderr, File.Exists(_log) ? File.ReadAllText(_log) : "", Trace.Read(_trace));
    }

    /// <summary>Ends a service once all connections are closed, or after a limit; sends SIGHUP first if it has a log file.</summary>
    private bool EndService(Command strace)
    {
        long started = Stopwatch.GetTimestamp();
        while (stage.Look().Connections.ContainsValue(true) && Stopwatch.GetElapsedTime(started) < s_serviceLimit)
        {
            if (strace.EndsWithin(s_pause))
            {
                return true;
            }
        }

        if (mode.LogFile)
        {
            Signal(strace, "HUP");
        }

        // One more round, in which nothing matches.
        if (strace.EndsWithin(TimeSpan.FromMilliseconds(70)))
        {
            return true;
        }

        Signal(strace, "TERM");
        return strace.EndsWithin(s_endLimit);
    }

    /// <summary>Signals the program that strace traces, unless it has just ended.</summary>
    private static void Signal(Command strace, string signal)
    {
        if (Command.Descendants(strace.Id) is [var program, ..])
        {
            Command.Run("kill", "-s", signal, $"{program}");
        }
    }
}
