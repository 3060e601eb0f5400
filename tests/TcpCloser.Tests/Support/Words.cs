using TcpCloser.Cli;

namespace TcpCloser.Tests.Support;

/// <summary>Parses command lines for tests, so that only this class knows how options and selections are built.</summary>
internal static class Words
{
    /// <summary>The rule and the run options of the command line.</summary>
    public static (Rule Rule, RunOptions Run) Parse(params string[] words)
    {
        (Rule Rule, RunOptions Run)? parsed = CommandLine.Parse(words, out string? text);
        Assert.Null(text);
        Assert.NotNull(parsed);
        return parsed.Value;
    }

    public static Rule Rule(params string[] words) => Parse(words).Rule;

    public static RunOptions Run(params string[] words) => Parse(words).Run;

    /// <summary>The message of the usage error: one printable line.</summary>
    public static string Refused(params string[] words)
    {
        string message = Assert.Throws<UsageException>(() => CommandLine.Parse(words, out _)).Message;
        AssertOneLine(message);
        return message;
    }

    public static void AssertOneLine(string message)
    {
        Assert.NotEmpty(message);
        Assert.DoesNotContain(message, char.IsControl);
        Assert.DoesNotContain(message, static c => c is '\u2028' or '\u2029');
    }

    public static Selection Select(params string[] words) => Selection.Of(Rule(words));

    /// <summary>The filter for a kernel that supports all ops.</summary>
    public static byte[] Compile(Selection selection, RuleContext? context = null) =>
        FilterCompiler.Compile(selection, context ?? RuleContext.Empty, marksAndCgroups: true);

    /// <summary>Whether the selection matches a connection without attributes, if the kernel decides about marks and cgroups.</summary>
    public static bool Matches(Selection selection, in Connection connection) =>
        selection.Match(in connection, default, RuleContext.Empty, kernelDecides: true) switch
        {
            Match.Yes => true,
            Match.No => false,
            Match other => throw new InvalidOperationException($"{other}"),
        };

    /// <summary>A selection with any number of port ranges, more than a command line word can hold.</summary>
    public static Selection Select(string family, IReadOnlyList<PortRange> source, IReadOnlyList<PortRange> destination) => Selection.Of(new Rule
    {
        Families = family switch { "-4" => Families.IPv4, "-6" => Families.IPv6, _ => Families.IPv4 | Families.IPv6 },
        States = 1u << TcpState.Established,
        SourcePorts = [.. source],
        DestinationPorts = [.. destination],
    });

    /// <summary>The ranges in the given order, as <c>22,80,8000-8999</c>.</summary>
    public static string Text(IReadOnlyList<PortRange> ranges) =>
        string.Join(',', ranges.Select(range => range.First == range.Last ? $"{range.First}" : $"{range.First}-{range.Last}"));
}
