using System.Globalization;
using System.Text.RegularExpressions;

namespace TcpCloser.KernelTests.Harness;

/// <summary>The exit status and output of a program.</summary>
internal sealed partial record Result(int ExitCode, string Stdout, string Stderr)
{
    /// <summary>The lines of stderr.</summary>
    internal string[] Log => Stderr.Split('\n', StringSplitOptions.RemoveEmptyEntries);

    /// <summary>The log lines that report a destroyed connection.</summary>
    internal string[] Destroyed => [.. Log.Where(line => line.Contains(" destroyed ", StringComparison.Ordinal))];

    /// <summary>A number of the last summary line: matched, idle, closed, vanished, spared, failed.</summary>
    internal int Summary(string name) => Summary(Log, name);

    /// <summary>A number of the last summary line in a log.</summary>
    internal static int Summary(string[] log, string name)
    {
        string line = log.LastOrDefault(line => SummaryLine().IsMatch(line))
            ?? throw new InvalidDataException("no summary line in: " + string.Join('\n', log));
        var match = Regex.Match(line, $@"\b{name}=(\d+)");
        return match.Success
            ? int.Parse(match.Groups[1].ValueSpan, CultureInfo.InvariantCulture)
            : throw new InvalidDataException($"no {name} in: {line}");
    }

    /// <summary>The line of --check about a feature.</summary>
    internal string CheckLine(string name) => Stdout.Split('\n').Single(line => line.Split(' ')[0] == name);

    /// <summary>The answer of --check about a feature: yes, no or partly.</summary>
    internal string Answer(string name) => CheckLine(name).Split(' ', StringSplitOptions.RemoveEmptyEntries)[1];

    /// <summary>Asserts the exit status; a failure shows all output.</summary>
    internal Result Expect(int exitCode)
    {
        Assert.True(ExitCode == exitCode, $"exit {ExitCode}, expected {exitCode}\nstdout: {Stdout}\nstderr: {Stderr}");
        return this;
    }

    [GeneratedRegex(@"\bmatched=\d+.*\bclosed=\d+")]
    private static partial Regex SummaryLine();
}
