namespace TcpCloser.KernelTests;

/// <summary>
/// <c>--json</c> as jq reads it, for any name that a process can give itself; and log lines that such names cannot
/// forge.
/// </summary>
public sealed class JsonTests
{
    [Theory]
    // the bytes of the name in hexadecimal; the name as JSON decodes it; as a log line has it
    [InlineData("61226222", "a\"b\"", @"a\x22b\x22")]
    [InlineData("635c6e5c", @"c\x5Cn\x5C", @"c\x5Cn\x5C")]
    [InlineData("640a310d090b", "d\n1\r\t\u000b", @"d\x0A1\x0D\x09\x0B")]
    [InlineData("1b5b33316d78", "\u001b[31mx", @"\x1B[31mx")]
    [InlineData("66fffe80c3", @"f\xFF\xFE\x80\xC3", @"f\xFF\xFE\x80\xC3")]
    [InlineData("c3a4e282ac7f", "ä€\u007f", @"ä€\x7F")]
    [InlineData("f09f9880c285", "😀\u0085", @"😀\xC2\x85")]
    [InlineData("782079", "x y", "\"x y\"")]
    [InlineData("e280aee28ba8", "\u202e⋨", @"\xE2\x80\xAE⋨")]
    public void Json_AnyProcessName_IsValidAndForgesNothing(string hex, string decoded, string logged)
    {
        RequireJq();
        using var lab = LabProcess.StartIsolated("--count", "2", "--client-process", "--process-name", hex);

        var preview = lab.Tool("-n", "--json", "--use-proc", "-s", $"{LabProcess.Port}").Expect(0);
        var table = lab.Tool("-n", "--use-proc", "-s", $"{LabProcess.Port}").Expect(0);
        var kill = lab.Tool("--json", "--use-proc", "-s", $"{LabProcess.Port}").Expect(0);

        Assert.Equal([decoded, decoded], Strings(preview, "select(.type==\"connection\") | .owners[].comm"));
        Assert.Equal([decoded], Strings(kill, "select(.type==\"signal\") | .comm"));
        Assert.Equal(["killed", "killed"], Strings(kill, "select(.type==\"connection\") | .outcome"));
        Assert.Contains($" comm={logged} ", Assert.Single(kill.Log, line => line.Contains(" to pid=")), StringComparison.Ordinal);
        Assert.All(kill.Log, line => Assert.Matches(@"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z (info|error|warning|debug) ", line));
        Assert.Equal(2, table.Stdout.Split('\n').Count(line => line.Contains($" {logged}[")));
        Assert.Equal(4, table.Stdout.Split('\n').Length); // the header, two rows, and the empty string after the last newline
        Assert.DoesNotContain(kill.Stderr + table.Stdout, character => char.IsControl(character) && character != '\n');
    }

    private static void RequireJq() => Assert.SkipUnless(Command.Run("sh", "-c", "command -v jq").ExitCode == 0, "jq is missing");

    /// <summary>The strings that jq extracts from stdout; passed in base64, because they may contain anything.</summary>
    private static string[] Strings(Result result, string filter)
    {
        using TemporaryDirectory directory = new();
        File.WriteAllText(directory.File("json"), result.Stdout);
        string[] lines = Command.Run("jq", "-r", $"({filter}) | @base64", directory.File("json")).Expect(0).Stdout.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        return [.. lines.Select(line => Encoding.UTF8.GetString(Convert.FromBase64String(line)))];
    }
}
