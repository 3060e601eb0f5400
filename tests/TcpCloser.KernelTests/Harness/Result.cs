using System.Globalization;
using System.Text.RegularExpressions;
using Xunit;

namespace TcpCloser.KernelTests.Harness;

/// <summary>How a program ended and what it wrote.</summary>
internal sealed partial record Result(int ExitCode, string Stdout, string Stderr)
{
    /// <summary>The lines of stderr.</summary>
    internal string[] Log => Stderr.Split('\n', StringSplitOptions.RemoveEmptyEntries);

    /// <summary>The log lines in which one connection is said to be destroyed.</summary>
    internal string[] Destroyed => [.. Log.Where(line => line.Contains(" destroyed ", StringComparison.Ordinal))];

    /// <summary>A number of the summary line: matched, idle, closed, vanished, spared, failed.</summary>
    internal int Summary(string name) => Summary(Log, name);

    /// <summary>A number of the summary line among other log lines.</summary>
    internal static int Summary(string[] log, string name)
    {
        string line = log.LastOrDefault(line => SummaryLine().IsMatch(line))
            ?? throw new InvalidDataException("no summary line in: " + string.Join('\n', log));
        var match = Regex.Match(line, $@"\b{name}=(\d+)");
        return match.Success
            ? int.Parse(match.Groups[1].ValueSpan, CultureInfo.InvariantCulture)
            : throw new InvalidDataException($"no {name} in: {line}");
    }

    /// <summary>Asserts the exit status; shows everything that was written where it is another.</summary>
    internal Result Expect(int exitCode)
    {
        Assert.True(ExitCode == exitCode, $"exit {ExitCode}, expected {exitCode}\nstdout: {Stdout}\nstderr: {Stderr}");
        return this;
    }

    [GeneratedRegex(@"\bmatched=\d+.*\bclosed=\d+")]
    private static partial Regex SummaryLine();
}
