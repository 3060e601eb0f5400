namespace TcpCloser.Tests.Support;

/// <summary>What steps get from a round.</summary>
internal static class Contexts
{
    /// <summary>A round on this machine.</summary>
    /// <param name="stop">Is called at each check whether to stop; null: never stop.</param>
    public static RoundContext Of(Machine machine, IResultSink sink, Func<bool>? stop = null, Rule? rule = null) =>
        new(rule ?? new Rule(), machine, sink) { Stop = new FakeStop(stop) };

    /// <summary>A round on a machine without processes; its sockets are those of the candidates' namespaces.</summary>
    public static RoundContext Of(IResultSink sink, Func<bool>? stop = null) => Of(new FakeHost().Machine, sink, stop);
}
