namespace TcpCloser.Tests.Support;

/// <summary>Runs dumps for tests, so that only this class knows how query, dump and collector fit together.</summary>
internal static class Listing
{
    /// <summary>Dumps into the sink. Returns 0 or the errno.</summary>
    public static int Run(FakeKernel kernel, RecordingDumpSink sink, params string[] words) => Run(kernel, sink.Add, sink.Reset, words);

    /// <summary>Dumps into delegates. Returns 0 or the errno.</summary>
    public static int Run(FakeKernel kernel, DumpSink sink, Action reset, params string[] words) => new SocketDump().Run(
        new FakeNamespace(kernel), new DumpQuery(Words.Select(words), RuleContext.Empty, marksAndCgroups: true).Request, sink, reset);

    /// <summary>An empty collector for these words, in a namespace that answers nothing.</summary>
    public static Collector Collector(string[] words, bool keep)
    {
        var collector = new Collector(new IdleRule(Words.Rule(words)), keep, keep ? DetailLevel.TcpInfo : DetailLevel.Connection);
        collector.Begin(FakeNamespace.Silent);
        collector.SetQuery(new DumpQuery(Words.Select(words), RuleContext.Empty, marksAndCgroups: true));
        return collector;
    }

    /// <summary>The collector, filled with a dump of the kernel.</summary>
    public static Collector Collector(FakeKernel kernel, bool keep, params string[] words) => Collector(kernel, out _, keep, words);

    /// <summary>The same; also returns the filter.</summary>
    public static Collector Collector(FakeKernel kernel, out byte[] bytecode, bool keep, params string[] words)
    {
        Collector collector = Collector(words, keep);
        collector.Clear();
        bytecode = new SelectionDump(Words.Select(words), new SocketDump()).Run(new FakeNamespace(kernel), RuleContext.Empty, collector);
        return collector;
    }
}
