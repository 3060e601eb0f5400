using TcpCloser.Cli;
using TcpCloser.Diag;

namespace TcpCloser.Tests.Support;

/// <summary>Command lines as tests write them. What options and selections are made of is known only here.</summary>
internal static class Words
{
    /// <summary>What the words mean.</summary>
    public static (Rule Rule, RunOptions Run) Parse(params string[] words)
    {
        (Rule Rule, RunOptions Run)? parsed = CommandLine.Parse(words, out string? text);
        Assert.Null(text);
        Assert.NotNull(parsed);
        return parsed.Value;
    }

    /// <summary>The rule that the words mean.</summary>
    public static Rule Rule(params string[] words) => Parse(words).Rule;

    /// <summary>How the words say that the run goes about it.</summary>
    public static RunOptions Run(params string[] words) => Parse(words).Run;

    /// <summary>The error that the words are refused with: one printable line.</summary>
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

    /// <summary>The filter for a kernel that knows all ops.</summary>
    public static byte[] Compile(Selection selection, RuleContext? context = null) =>
        FilterCompiler.Compile(selection, context ?? RuleContext.Empty, marksAndCgroups: true);

    /// <summary>Whether the selection means the connection, of which nothing is attached, where the kernel decided over marks and cgroups.</summary>
    public static bool Matches(Selection selection, in Connection connection) =>
        selection.Match(in connection, default, RuleContext.Empty, kernelDecides: true) switch
        {
            Match.Yes => true,
            Match.No => false,
            Match other => throw new InvalidOperationException($"{other}"),
        };

    /// <summary>What is selected by any number of port ranges, which no single command line word could hold.</summary>
    public static Selection Select(string family, IReadOnlyList<PortRange> source, IReadOnlyList<PortRange> destination) => Selection.Of(new RuleBuilder
    {
        Families = family switch { "-4" => Families.IPv4, "-6" => Families.IPv6, _ => Families.IPv4 | Families.IPv6 },
        SourcePorts = [.. source],
        DestinationPorts = [.. destination],
    }.Build());

    /// <summary>Every port of the ranges in the order given, as <c>22,80,8000-8999</c>.</summary>
    public static string Text(IReadOnlyList<PortRange> ranges) =>
        string.Join(',', ranges.Select(range => range.First == range.Last ? $"{range.First}" : $"{range.First}-{range.Last}"));
}
