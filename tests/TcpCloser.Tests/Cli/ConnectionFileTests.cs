using System.Globalization;
using System.Text;
using CsCheck;
using TcpCloser.Cli;

namespace TcpCloser.Tests.Cli;

/// <summary>Files of <c>--only</c>: their layout, their limits, and the line number of an error.</summary>
public sealed class ConnectionFileTests
{
    private const string Record = """{"type":"connection","local_address":"10.0.0.1","local_port":22,"remote_address":"10.0.0.2","remote_port":5000,"cookie":"7"}""";
    private const string Pair = "10.0.0.1:22 10.0.0.2:6000";
    private static readonly string[] s_both = ["10.0.0.1:22 -> 10.0.0.2:5000 cookie=7", "10.0.0.1:22 -> 10.0.0.2:6000"];

    [Theory]
    [Values(Record + "\n" + Pair + "\n", "\n\n  " + Record + "  \r\n\r\n" + Pair + "\r\n", Record + Record + Pair,
        Record + "\n" + Pair + "\n{\"type\":\"summary\"}\n" + Pair + " \n" + Record)]
    public void Read_RecordsAndLines_EachConnectionOnce(string content) => AssertRead(s_both, content);

    /// <summary>As jq(1) prints it without -c.</summary>
    [Fact]
    public void Read_RecordOverSeveralLines_IsRead()
    {
        string pretty = Record.Replace(",", ",\n  ", StringComparison.Ordinal).Replace("{", "{\n  ", StringComparison.Ordinal).Replace("}", "\n}", StringComparison.Ordinal);
        AssertRead(s_both, $"{pretty}\n{pretty}\n{Pair}");
        Assert.Equal("line 17 'x': " + ConnectionLine.Wanted, Named.OfFile($"{pretty}\n{pretty}\nx").Error);
    }

    /// <summary>In a half-written file, a port with fewer digits would be another connection.</summary>
    [Fact]
    public void Read_LastLineWithoutLineBreakInAService_IsRefused()
    {
        Assert.StartsWith("line 2 '" + Pair + "': the last line has no line break", Named.OfFile(Encoding.UTF8.GetBytes(Pair + "\n" + Pair), isReadAgain: true).Error, StringComparison.Ordinal);
        Assert.Null(Named.OfFile(Encoding.UTF8.GetBytes(Pair + "\n"), isReadAgain: true).Error);
    }

    [Theory]
    [Values("", "\n\r\n \n", "{\"type\":\"summary\"}")]
    public void Read_NothingNamed_IsEmpty(string content) => AssertRead([], content);

    [Theory]
    [InlineData(Pair + "\n\n" + Pair + "x", "line 3 '" + Pair + "x': the port is not a number from 1 to 65535; print it with ss -n")]
    [InlineData("a\0\u001b[31m", "line 1 'a\\x00\\x1B[31m': " + ConnectionLine.Wanted)]
    [InlineData(Record + "\n{\"a\":\"\n\"}", "line 2: not a record: the JSON is invalid")]
    [InlineData(Record + "\n" + "{\"a\":1", "line 2: the end of this record is missing")]
    [InlineData(Record + "\n" + "{\"a\":1}", "line 2: this record lacks local_address, local_port, remote_address or remote_port, or their values are invalid")]
    [InlineData(Record + " x", "line 1 'x': " + ConnectionLine.Wanted)]
    public void Read_InvalidLine_IsNamedByItsNumber(string content, string error) => Assert.Equal(error, Named.OfFile(content).Error);

    [Fact]
    public void Read_LongLine_IsCutInTheMessage() =>
        Assert.Equal($"line 1 '{new string('x', 60)}...': {ConnectionLine.Wanted}", Named.OfFile(new string('x', 5000)).Error);

    [Fact]
    public void Read_LineOrNumberOfLinesAboveTheLimit_IsRefused()
    {
        Assert.Null(Named.OfFile(new string(' ', ConnectionFile.MaxLength - 1) + "\n").Error);
        Assert.Equal("line 2: a line of more than 1048576 bytes", Named.OfFile("\n" + new string(' ', ConnectionFile.MaxLength + 1)).Error);
        Assert.Equal("line 2: a record of more than 1048576 bytes", Named.OfFile("\n{\"" + new string(' ', ConnectionFile.MaxLength)).Error);
        Assert.Null(Named.OfFile(new string('\n', ConnectionFile.MaxItems)).Error);
        Assert.Equal("line 1000001: more than 1000000 lines and records", Named.OfFile(new string('\n', ConnectionFile.MaxItems + 1)).Error);
    }

    [Fact]
    public void Read_IndentedRecords_CountOnceEach()
    {
        const int Records = ConnectionFile.MaxItems / 2 + 1;
        Assert.Null(Named.OfFile(string.Concat(Enumerable.Repeat(" {\"type\":\"totals\"}\n", Records))).Error);
    }

    /// <summary>Records and lines that the buffer of 64 KiB cuts anywhere.</summary>
    [Fact]
    public void Read_LongFile_EachConnectionIsFound()
    {
        var content = new StringBuilder();
        for (int i = 1; i <= 20_000; i++)
        {
            string port = i.ToString(CultureInfo.InvariantCulture);
            content.Append(i % 2 == 0 ? Record.Replace("5000", port, StringComparison.Ordinal) : $"10.0.0.1:22 10.0.0.2:{port}").Append('\n');
        }

        AssertRead([.. Enumerable.Range(1, 20_000).Select(static i => $"10.0.0.1:22 -> 10.0.0.2:{i}{(i % 2 == 0 ? " cookie=7" : "")}")], content.ToString());
    }

    [Fact]
    public void Read_RandomBytes_AreReadOrRefusedInOneLine() => Gen.OneOf(
        Gen.Byte.Array[0, 200],
        Gen.String[Gen.Char["{}[]\":,\\ \n\t0123456789abcdefsk.%->*"], 0, 200].Select(static text => Encoding.UTF8.GetBytes(text))).Sample(static content =>
        {
            if (Named.OfFile(content).Error is { } error)
            {
                Words.AssertOneLine(error);
            }
        }, iter: 300);

    [Theory]
    [InlineData("/nonexistent/list", "ENOENT (no such file or object)")]
    [InlineData("/", "EISDIR (is a directory)")]
    [InlineData("/dev/zero", "line 1: a line of more than 1048576 bytes")]
    public void Only_FileCannotBeRead_IsAUsageError(string path, string error) => Assert.Equal($"--only '{path}': {error}", Words.Refused("--only", path));

    [Theory]
    [InlineData("/dev/null", "a service reads it again in each round, so it must be a regular file")]
    [InlineData("-", "cannot be combined with -i/--interval, because a service reads the connections again in each round; write them to a file")]
    public void Only_ServiceCannotReadItAgain_IsAUsageError(string path, string error) =>
        Assert.Equal($"--only '{path}': {error}", Words.Refused("--only", path, "-i", "1m"));

    /// <summary>Other errors of the command line are found before stdin is read.</summary>
    [Fact]
    public void Only_OtherError_IsReportedFirst() => Assert.StartsWith("-q/--quiet", Words.Refused("--only", "/nonexistent", "-q", "-v"), StringComparison.Ordinal);

    [Theory]
    [Rows("IPv4, IPv6 | --only /dev/null", "IPv4, IPv6 | --only /dev/null -s 22", "IPv4 | --only /dev/null --src 10.0.0.1",
        "IPv6 | --only /dev/null -6")]
    public void Only_Given_IsASelectionOfBothFamilies(string families, params string[] words) =>
        Assert.Equal(families, Words.Rule(words).Families.ToString());

    [Fact]
    public void Only_TwoFiles_AreAlternatives()
    {
        using var directory = new TemporaryDirectory();
        string[] files = [Path.Combine(directory.Path, "a"), Path.Combine(directory.Path, "b")];
        File.WriteAllText(files[0], Record);
        File.WriteAllText(files[1], Record + Pair);
        Assert.Equal(s_both, Named.Of(Words.Rule("--only", files[0], "--only", files[1]).NamedConnections!));
    }

    private static void AssertRead(string[] connections, string content)
    {
        (string[] read, string? error) = Named.OfFile(content);
        Assert.Null(error);
        Assert.Equal(connections, read);
    }
}
