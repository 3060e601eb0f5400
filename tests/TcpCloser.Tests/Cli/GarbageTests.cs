using CsCheck;
using TcpCloser.Cli;

namespace TcpCloser.Tests.Cli;

/// <summary>Whatever the command line, the parser throws nothing but a usage error of one line.</summary>
public sealed class GarbageTests
{
    private static readonly string[] s_known =
    [
        "-4", "-6", "-s", "-d", "-t", "-i", "-f", "-v", "-h", "-n", "--", "-", "--sport", "--dport", "--state", "--idle-time", "--idle_time",
        "--last-recv-limit", "--interval", "--logfile", "--signal", "--use-proc", "--disable-syslog", "--version", "--help", "-4v", "-s22",
        "--sport=22", "22", "80-90", "90-80", "0", "", " ", "=", ":", "tcp-closer", "@x", "[x]", "established", "5s", "--sport=", "-s=", "TERM",
    ];

    private static readonly Gen<string> s_word = Gen.OneOf(
        Gen.String,
        Gen.String[Gen.Char["-=:,@[]46sdtifvhn0123456789 \t\n\"'\\\u001b\u202e\ud800"], 0, 12],
        Gen.OneOf(s_known),
        Gen.Select(Gen.OneOf(s_known), Gen.String[0, 4], static (known, tail) => known + tail));

    [Fact]
    public void Parse_RandomWords_SucceedsOrIsAUsageError() => s_word.Array[0, 8].Sample(static words =>
    {
        try
        {
            (Rule Rule, RunOptions Run)? parsed = CommandLine.Parse(words, out string? text);
            Assert.True(parsed is null != text is null);
            Assert.True(parsed is null || parsed.Value.Rule.SourcePorts.Count + parsed.Value.Rule.DestinationPorts.Count > 0);
        }
        catch (UsageException e)
        {
            Words.AssertOneLine(e.Message);
        }
    }, iter: 10_000);

    [Fact]
    public void Value_RandomGarbage_IsRefusedInOneLine() => Gen.Select(
        Gen.OneOf("-s", "-d", "-t", "--last-recv-limit", "-i", "--state"),
        Gen.String[Gen.Char["x!\"'\\ \t\r\n\0\u001b\u0085\u009b\u2028\u202e\ufeff\ud83d"], 1, 10],
        static (option, value) => (option, value)).Sample(static garbage => Words.Refused("-s", "22", garbage.option, garbage.value), iter: 5_000);

    [Fact]
    public void Ports_Random_AreParsedInOrder() => Gen.Select(Gen.Int[1, 65_535], Gen.Int[1, 65_535]).Array[1, 50].Sample(static pairs =>
    {
        PortRange[] ranges = [.. pairs.Select(pair => new PortRange((ushort)Math.Min(pair.Item1, pair.Item2), (ushort)Math.Max(pair.Item1, pair.Item2)))];
        Assert.Equal(ranges, Words.Rule("-s", Words.Text(ranges)).SourcePorts);
    });
}
