namespace TcpCloser.KernelTests.Harness.Programs;

/// <summary>A dry run and a real run, and whether the living clients of each program got answers before and after.</summary>
/// <param name="Real">The run after the dry run.</param>
/// <param name="Failures">The reason why a client got no answer, by program; no entry if all clients did.</param>
internal sealed record ProgramRun(Result Dry, Result Real, IReadOnlyDictionary<string, string> Failures)
{
    /// <summary>
    /// The number of connections of a server by client address and outcome: <c>10.9.0.2 answered 20</c>. Programs also have
    /// connections between themselves, which are left out.
    /// </summary>
    internal static string[] Outcomes(Result run, ServerProgram program) =>
    [
        .. ConnectionRecord.Read(run)
            .Where(record => record.LocalPort == program.Port && record.RemoteAddress != "127.0.0.1")
            .GroupBy(static record => $"{record.RemoteAddress} {record.Outcome}")
            .Select(static group => $"{group.Key} {group.Count()}")
            .Order(StringComparer.Ordinal),
    ];
}
