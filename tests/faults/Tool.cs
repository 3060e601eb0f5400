using System.Diagnostics;
using System.Globalization;

namespace TcpCloser.Faults;

/// <summary>Runs the program below strace, which makes a call fail, and waits for its end, but not for ever.</summary>
internal sealed class Tool(Mode mode, Stage stage, string folder)
{
    private static readonly TimeSpan s_limit = TimeSpan.FromSeconds(60);

    /// <summary>How long a service may take to close what matches, which takes it a round or, where the first one failed, two.</summary>
    private static readonly TimeSpan s_serviceLimit = TimeSpan.FromSeconds(5);

    /// <summary>A signal ends a service within a second; the rest is for strace on a busy machine.</summary>
    private static readonly TimeSpan s_endLimit = TimeSpan.FromSeconds(5);

    private static readonly TimeSpan s_pause = TimeSpan.FromMilliseconds(10);

    private readonly string _trace = Path.Combine(folder, "trace");
    private readonly string _log = Path.Combine(folder, "log");

    /// <summary>Whether the help of this build names an option.</summary>
    internal static bool Knows(string option)
    {
        using Process help = Process.Start(new ProcessStartInfo(Binaries.Tool, ["--help"]) { RedirectStandardOutput = true })!;
        bool knows = help.StandardOutput.ReadToEnd().Contains(option, StringComparison.Ordinal);
        help.WaitForExit();
        return knows;
    }

    /// <summary>Runs with every call written down and none failing.</summary>
    internal Run Record() => Start(["-e", "trace=all"]);

    /// <summary>Runs with one call failing.</summary>
    internal Run Fail(Call call, Fault fault)
        => Start(["--seccomp-bpf", "-e", $"trace={call.Name},fcntl", "-e", $"inject={call.Name}:{fault.Text}:when={call.Occurrence}"]);

    private Run Start(string[] strace)
    {
        File.Delete(_log);
        File.Delete(_trace);
        string[] arguments = Array.ConvertAll(mode.Arguments, argument => argument
            .Replace("{port}", $"{stage.Port}", StringComparison.Ordinal)
            .Replace("{other-port}", $"{stage.PortInOtherNamespace}", StringComparison.Ordinal)
            .Replace("{dir}", folder, StringComparison.Ordinal));
        string[] command = [.. mode.Wrapper, "strace", "-f", "-y", "-qq", "-e", "signal=none", "-o", _trace, .. strace, "--", Binaries.Tool, .. arguments];
        ProcessStartInfo start = new(command[0], command[1..])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        using Process process = Process.Start(start)!;
        process.StandardInput.Close();
        Task<string> stdout = process.StandardOutput.ReadToEndAsync();
        Task<string> stderr = process.StandardError.ReadToEndAsync();
        bool hung = mode.Service ? !EndService(process) : !process.WaitForExit(s_limit);
        if (hung)
        {
            process.Kill(entireProcessTree: true);
            process.WaitForExit();
        }

        return new Run(process.ExitCode, hung, stdout.Result, stderr.Result, File.Exists(_log) ? File.ReadAllText(_log) : "", Trace.Read(_trace));
    }

    /// <summary>Ends a service once all is closed, or nothing happens any more; it gets SIGHUP first where there is a log file.</summary>
    private bool EndService(Process strace)
    {
        long started = Stopwatch.GetTimestamp();
        while (stage.Look().Connections.ContainsValue(true) && Stopwatch.GetElapsedTime(started) < s_serviceLimit)
        {
            if (strace.WaitForExit(s_pause))
            {
                return true;
            }
        }

        if (mode.LogFile)
        {
            Signal(strace, Posix.SIGHUP);
        }

        // A round in which nothing matches any more.
        if (strace.WaitForExit(TimeSpan.FromMilliseconds(70)))
        {
            return true;
        }

        Signal(strace, Posix.SIGTERM);
        return strace.WaitForExit(s_endLimit);
    }

    private static void Signal(Process strace, int signal)
    {
        try
        {
            foreach (string child in File.ReadAllText($"/proc/{strace.Id}/task/{strace.Id}/children").Split(' ', StringSplitOptions.RemoveEmptyEntries))
            {
                _ = Posix.kill(int.Parse(child, CultureInfo.InvariantCulture), signal);
            }
        }
        catch (IOException)
        {
            // It has just ended.
        }
    }
}
