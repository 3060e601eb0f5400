using System.Globalization;

namespace TcpCloser.KernelTests.Harness;

internal sealed partial record Result(int ExitCode, string Stdout, string Stderr)
{
    internal string[] Log => Stderr.Split('\n', StringSplitOptions.RemoveEmptyEntries);
    internal string[] Destroyed => [.. Log.Where(line => line.Contains(" destroyed "))];
    internal int Summary(string name) => Summary(Log, name);

    internal static int Summary(string[] log, string name)
    {
        string line = log.LastOrDefault(line => SummaryLine().IsMatch(line))
            ?? throw new InvalidDataException("no summary line in: " + string.Join('\n', log));
        var match = Regex.Match(line, $@"\b{name}=(\d+)");
        return match.Success
            ? int.Parse(match.Groups[1].ValueSpan, CultureInfo.InvariantCulture)
            : throw new InvalidDataException($"no {name} in: {line}");
    }

    internal string CheckLine(string name) => Stdout.Split('\n').Single(line => line.Split(' ')[0] == name);

    /// <summary>The answer of --check about a feature: yes, no or partly.</summary>
    internal string Answer(string name) => CheckLine(name).Split(' ', StringSplitOptions.RemoveEmptyEntries)[1];

    /// <summary>Checks the exit status, and numbers of the summary (<c>matched=3 closed=2</c>); a failure shows all output.</summary>
    internal Result Expect(int exitCode, string summary = "")
    {
        Assert.True(ExitCode == exitCode, $"exit {ExitCode}, expected {exitCode}\n{this}");
        return summary.Length == 0 ? this : ExpectSummary(summary);
    }

    /// <summary>Checks numbers of the last summary line: <c>matched=3 closed=2</c>.</summary>
    internal Result ExpectSummary(string summary)
    {
        string actual = string.Join(' ', summary.Split(' ').Select(static pair => pair.Split('=')[0]).Select(name => $"{name}={Summary(name)}"));
        Assert.True(actual == summary, $"{actual}, expected {summary}\n{this}");
        return this;
    }

    public override string ToString() => $"stdout: {Stdout}\nstderr: {Stderr}";

    [GeneratedRegex(@"\bmatched=\d+.*\bclosed=\d+")]
    private static partial Regex SummaryLine();
}
