using System.Globalization;

namespace TcpCloser.Matrix;

/// <summary>The exit status and output of a run of the program.</summary>
/// <param name="Command">The command line.</param>
/// <param name="Status">The exit status; -1: the run was killed at the time limit.</param>
/// <param name="Stderr">The log.</param>
/// <param name="Time">The duration.</param>
internal sealed record ToolResult(string Command, int Status, string Stdout, string Stderr, TimeSpan Time);

/// <summary>A run of the program in progress.</summary>
internal sealed partial class ToolRun : IDisposable
{
    private const int SIGUSR1 = 10;
    private static readonly TimeSpan s_pause = TimeSpan.FromMilliseconds(20);
    private static readonly TimeSpan s_betweenRequests = TimeSpan.FromMilliseconds(300);
    private readonly string[] _words;
    private readonly Command _command;
    private readonly long _started = Stopwatch.GetTimestamp();

    internal ToolRun(string[] words)
    {
        _words = words;
        _command = Command.Start(words);
        _command.CloseStdin();
    }

    internal bool HasEnded => _command.HasExited;

    /// <summary>Waits for the end of the run, and kills it at the time limit.</summary>
    internal ToolResult WaitForEnd(TimeSpan limit)
    {
        bool ended = _command.EndsWithin(limit);
        _command.Kill();
        Result result = _command.WaitForEnd();
        return new ToolResult(
            string.Join(' ', _words.Select(static word => word.Contains(' ') ? $"'{word}'" : word)),
            ended ? result.ExitCode : -1,
            result.Stdout,
            result.Stderr,
            Stopwatch.GetElapsedTime(_started));
    }

    /// <summary>Sends a signal to the program itself, the last descendant of the command.</summary>
    internal void Signal(string signal)
    {
        if (Command.Descendants(_command.Id) is [.., var program])
        {
            Signal(signal, program);
        }
    }

    /// <summary>Waits until a service has completed that many rounds; false if it ended or the time is over.</summary>
    internal bool AwaitRounds(int rounds, TimeSpan limit)
    {
        long start = Stopwatch.GetTimestamp();
        while (!HasEnded && Stopwatch.GetElapsedTime(start) < limit)
        {
            int count = Totals().Count(_command.Stderr);
            if (count == 0 && !IsListening())
            {
                continue;
            }

            // The service answers between two rounds.
            Signal("USR1");
            while (Totals().Count(_command.Stderr) <= count && !HasEnded && Stopwatch.GetElapsedTime(start) < limit)
            {
                Thread.Sleep(s_pause);
            }

            if (Rounds >= rounds)
            {
                return true;
            }

            Thread.Sleep(s_betweenRequests);
        }

        return false;
    }

    /// <summary>Stops the program, or continues it. The commands in front of it stop with it, and have to be continued as well.</summary>
    internal void Pause(bool stop)
    {
        if (stop)
        {
            Signal("STOP");
            return;
        }

        Signal("CONT");
        Signal("CONT", [_command.Id, .. Command.Descendants(_command.Id)]);
    }

    /// <summary>The number of completed rounds, from the last totals in the log.</summary>
    internal int Rounds => Totals().Matches(_command.Stderr) is [.., var last] ? int.Parse(last.Groups[1].ValueSpan, CultureInfo.InvariantCulture) : 0;

    public void Dispose() => _command.Dispose();
    private static void Signal(string signal, params int[] pids) => Command.Run(["kill", "-s", signal, .. pids.Select(static pid => $"{pid}")]);

    /// <summary>
    /// Whether the program already handles the signal instead of ending by it: all of its threads block it, and not only while one
    /// of them starts another.
    /// </summary>
    private bool IsListening()
    {
        bool isFirst = Blocks(SIGUSR1);
        Thread.Sleep(s_betweenRequests);
        return isFirst && Blocks(SIGUSR1);
    }

    private bool Blocks(int signal)
    {
        const string Name = "SigBlk:";
        try
        {
            return Command.Descendants(_command.Id) is [.., var program] && Directory.GetDirectories($"/proc/{program}/task").All(task =>
                File.ReadLines($"{task}/status").FirstOrDefault(static line => line.StartsWith(Name, StringComparison.Ordinal)) is { } line
                && (ulong.Parse(line.AsSpan(Name.Length).Trim(), NumberStyles.HexNumber, CultureInfo.InvariantCulture) & (1UL << (signal - 1))) != 0);
        }
        catch (Exception failure) when (failure is IOException or InvalidOperationException)
        {
            return false; // the program has just ended
        }
    }

    [GeneratedRegex(@"totals rounds=(\d+)")]
    private static partial Regex Totals();
}
