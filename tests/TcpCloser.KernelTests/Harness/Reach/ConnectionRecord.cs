using System.Text.Json.Serialization;

namespace TcpCloser.KernelTests.Harness.Reach;

/// <summary>One connection object of <c>--json</c>, read strictly: a missing member or one of another type fails the test.</summary>
internal sealed record ConnectionRecord(
    [property: JsonPropertyName("netns")] string? Netns,
    [property: JsonPropertyName("family"), JsonRequired] string Family,
    [property: JsonPropertyName("local_address"), JsonRequired] string LocalAddress,
    [property: JsonPropertyName("local_port"), JsonRequired] int LocalPort,
    [property: JsonPropertyName("remote_address"), JsonRequired] string RemoteAddress,
    [property: JsonPropertyName("remote_port"), JsonRequired] int RemotePort,
    [property: JsonPropertyName("state"), JsonRequired] string State,
    [property: JsonPropertyName("idle_ms"), JsonRequired] long? IdleMs,
    [property: JsonPropertyName("outcome"), JsonRequired] string Outcome,
    [property: JsonPropertyName("reason")] string? Reason)
{
    /// <summary>Local and remote endpoint in the Lab's format: <c>[::1]:22 [::1]:40000</c>.</summary>
    internal string Ends => $"{End(LocalAddress, LocalPort)} {End(RemoteAddress, RemotePort)}";

    internal static ConnectionRecord[] Read(Result result) => [.. Objects(result, "connection").Select(line => JsonSerializer.Deserialize<ConnectionRecord>(line)!)];

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

    private static string End(string address, int port) => address.Contains(':') ? $"[{address}]:{port}" : $"{address}:{port}";
}
