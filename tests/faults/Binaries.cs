namespace TcpCloser.Faults;

/// <summary>The published native binaries, which run.sh names.</summary>
internal static class Binaries
{
    internal static string Tool { get; } = Named("TCP_CLOSER_BINARY");

    internal static string Lab { get; } = Named("TCP_CLOSER_LAB");

    private static string Named(string variable)
        => Environment.GetEnvironmentVariable(variable) is { Length: > 0 } path ? path : throw new InvalidOperationException($"{variable} names no file");
}
