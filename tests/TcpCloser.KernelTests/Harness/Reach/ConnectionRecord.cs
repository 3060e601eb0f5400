using System.Text.Json;
using System.Text.Json.Serialization;

namespace TcpCloser.KernelTests.Harness.Reach;

/// <summary>One object of <c>--json</c> about a connection, read strictly: a member that is missing or of another type fails the test.</summary>
internal sealed record ConnectionRecord(
    [property: JsonPropertyName("netns")] string? Netns,
    [property: JsonPropertyName("family"), JsonRequired] string Family,
    [property: JsonPropertyName("local_address"), JsonRequired] string LocalAddress,
    [property: JsonPropertyName("local_port"), JsonRequired] int LocalPort,
    [property: JsonPropertyName("remote_address"), JsonRequired] string RemoteAddress,
    [property: JsonPropertyName("remote_port"), JsonRequired] int RemotePort,
    [property: JsonPropertyName("state"), JsonRequired] string State,
    [property: JsonPropertyName("idle_ms"), JsonRequired] long? IdleMs,
    [property: JsonPropertyName("outcome"), JsonRequired] string Outcome)
{
    /// <summary>Local and remote end in the Lab's words: <c>[::1]:22 [::1]:40000</c>.</summary>
    internal string Ends => $"{End(LocalAddress, LocalPort)} {End(RemoteAddress, RemotePort)}";

    /// <summary>All connections among the objects of a run.</summary>
    internal static ConnectionRecord[] Read(Result result) => [.. Objects(result, "connection").Select(line => JsonSerializer.Deserialize<ConnectionRecord>(line)!)];

    /// <summary>The objects of a type, one a line.</summary>
    internal static string[] Objects(Result result, string type)
    {
        List<string> found = [];
        foreach (string line in result.Stdout.Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            using var document = JsonDocument.Parse(line);
            if (document.RootElement.GetProperty("type").GetString() == type)
            {
                found.Add(line);
            }
        }
        return [.. found];
    }

    private static string End(string address, int port) => address.Contains(':', StringComparison.Ordinal) ? $"[{address}]:{port}" : $"{address}:{port}";
}
