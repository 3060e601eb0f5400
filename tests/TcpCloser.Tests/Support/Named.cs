using System.Globalization;
using System.Text;
using TcpCloser.Cli;

namespace TcpCloser.Tests.Support;

/// <summary>Reads connections for <c>--only</c> and writes them as log lines do.</summary>
internal static class Named
{
    private const string Start = "skipped ";

    /// <summary><c>10.0.0.1:22 -> 10.0.0.2:5 cookie=1a netns=blue</c>, one per connection, in the order of the file.</summary>
    public static string[] Of(NamedConnections named)
    {
        var texts = new string[named.Count];
        for (int i = 0; i < texts.Length; i++)
        {
            texts[i] = ConnectionText.DescribeNotFound(named, i)[Start.Length..].Replace(" reason=not_found", "", StringComparison.Ordinal);
        }

        return texts;
    }

    /// <summary>The connection of a line of text, or what is wrong with it; null: the line is skipped.</summary>
    public static string? OfLine(string line)
    {
        var named = new NamedConnections();
        return Only(named, ConnectionLine.TryParse(Bytes(line), named, out NamedConnection connection, out string? advice), in connection, advice);
    }

    /// <summary>The connection of a record, or what is wrong with it; null: the record is skipped.</summary>
    public static string? OfRecord(string record)
    {
        var named = new NamedConnections();
        Assert.Equal(Bytes(record).Length, JsonText.LengthOf(Bytes(record + " {")));
        return Only(named, ConnectionRecord.TryParse(Bytes(record), named, out NamedConnection connection, out string? advice), in connection, advice);
    }

    /// <summary>Reads a file with this content: its connections, or the description of the error.</summary>
    public static (string[] Connections, string? Error) OfFile(byte[] content, bool isReadAgain = false)
    {
        using var directory = new TemporaryDirectory();
        string path = Path.Combine(directory.Path, "list");
        File.WriteAllBytes(path, content);
        var named = new NamedConnections();
        string? error = ConnectionFile.Read(path, isReadAgain, named)?.Description;
        return (Of(named), error);
    }

    public static (string[] Connections, string? Error) OfFile(string content) => OfFile(Bytes(content));

    private static string? Only(NamedConnections named, bool isConnection, in NamedConnection connection, string? advice)
    {
        if (!isConnection)
        {
            return advice;
        }

        Assert.Null(advice);
        named.Add(in connection);
        return Assert.Single(Of(named)).ToString(CultureInfo.InvariantCulture);
    }

    private static byte[] Bytes(string text) => Encoding.UTF8.GetBytes(text);
}
