using System.Globalization;

namespace TcpCloser.KernelTests.Harness;

/// <summary>
/// A process that a test started: its output is collected while it runs, and it is killed by its id with the test at the
/// latest.
/// </summary>
internal sealed class Command : IDisposable
{
    private static readonly TimeSpan s_limit = TimeSpan.FromSeconds(180);
    private readonly Process _process;
    private readonly StringBuilder _stdout = new();
    private readonly StringBuilder _stderr = new();
    private readonly Task _readers;
    private bool _disposed;

    private Command(IReadOnlyList<string> arguments)
    {
        // A shell starts its background jobs with SIGINT and SIGQUIT ignored, which this test run would pass on to its children.
        ProcessStartInfo start = new("env")
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            UseShellExecute = false,
        };
        foreach (string argument in (string[])["--default-signal", .. arguments])
        {
            start.ArgumentList.Add(argument);
        }

        _process = Process.Start(start) ?? throw new InvalidOperationException($"{arguments[0]} did not start");
        Id = _process.Id;
        _readers = Task.WhenAll(StartCollecting(_process.StandardOutput, _stdout), StartCollecting(_process.StandardError, _stderr));
    }

    /// <summary>
    /// The process id, which stays the program's through wrappers that exec (env, nsenter without -p, setpriv, sh -c
    /// exec).
    /// </summary>
    internal int Id { get; }

    internal string Stdout => Read(_stdout);
    internal string Stderr => Read(_stderr);
    internal bool HasExited => _process.HasExited;
    internal static Command Start(params IReadOnlyList<string> arguments) => new(arguments);

    /// <summary>Runs a command until it exits, with an empty stdin.</summary>
    internal static Result Run(params IReadOnlyList<string> arguments)
    {
        using Command command = new(arguments);
        command.CloseStdin();
        return command.WaitForEnd();
    }

    internal void WriteLine(string line) => Write(line + "\n");

    internal void Write(string text)
    {
        _process.StandardInput.Write(text);
        _process.StandardInput.Flush();
    }

    internal void CloseStdin() => _process.StandardInput.Close();
    internal void Signal(string name) => Run("kill", "-s", name, $"{Id}").Expect(0);

    internal void Await(string text)
        => Until.True(
            () => Stdout.Contains(text)
                || (HasExited ? throw new InvalidOperationException($"the process exited before it wrote '{text}'; stdout: {Stdout} stderr: {Stderr}") : false),
            $"'{text}'");

    internal bool EndsWithin(TimeSpan limit) => _process.WaitForExit(limit);
    internal Result WaitForEnd() => WaitForEnd(s_limit);

    internal Result WaitForEnd(TimeSpan limit)
    {
        if (!EndsWithin(limit))
        {
            throw new TimeoutException($"still running after {limit}; stdout: {Stdout} stderr: {Stderr}");
        }

        _readers.Wait(s_limit);
        return new Result(_process.ExitCode, Stdout, Stderr);
    }

    /// <summary>Asks the process to end, by the end of its stdin, and disposes of it.</summary>
    internal void End()
    {
        try
        {
            if (!HasExited)
            {
                CloseStdin();
                WaitForEnd();
            }
        }
        catch (Exception failure) when (failure is TimeoutException or IOException)
        {
            // Disposing kills the process.
        }
        Dispose();
    }

    /// <summary>Kills the process, if it is still running, and its descendants, by their ids.</summary>
    internal void Kill()
    {
        if (!_process.HasExited)
        {
            // A program whose strace is killed would continue without it.
            int[] descendants = Descendants(Id);
            _process.Kill();
            if (descendants.Length > 0)
            {
                Run(["kill", "-s", "KILL", .. descendants.Select(static pid => $"{pid}")]);
            }

            _process.WaitForExit();
        }
    }

    public void Dispose()
    {
        if (!_disposed)
        {
            _disposed = true;
            Kill();
            _process.Dispose();
        }
    }

    /// <summary>The ids of the descendants of a process; empty once it has ended.</summary>
    internal static int[] Descendants(int pid)
    {
        try
        {
            int[] direct = [.. File.ReadAllText($"/proc/{pid}/task/{pid}/children").Split(' ', StringSplitOptions.RemoveEmptyEntries)
                .Select(static child => int.Parse(child, CultureInfo.InvariantCulture))];
            return [.. direct, .. direct.SelectMany(Descendants)];
        }
        catch (IOException) // it has just exited
        {
            return [];
        }
    }

    private static string Read(StringBuilder text)
    {
        lock (text)
        {
            return text.ToString();
        }
    }

    /// <summary>
    /// On a thread of its own: pool threads are blocked by tests that wait, and the tool gives a stalled reader only a quarter of
    /// a second once it was asked to stop.
    /// </summary>
    private static Task StartCollecting(StreamReader reader, StringBuilder text) =>
        Task.Factory.StartNew(() => Collect(reader, text), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);

    private static void Collect(StreamReader reader, StringBuilder text)
    {
        char[] buffer = new char[4096];
        int count;
        while ((count = reader.Read(buffer)) > 0)
        {
            lock (text)
            {
                text.Append(buffer, 0, count);
            }
        }
    }
}
