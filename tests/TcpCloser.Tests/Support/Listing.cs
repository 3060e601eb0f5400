using TcpCloser.Diag;

namespace TcpCloser.Tests.Support;

/// <summary>A dump as tests run it. How query, dump and collector are put together is known only here.</summary>
internal static class Listing
{
    /// <summary>Lists into the sink. Returns 0 or the errno.</summary>
    public static int Run(FakeKernel kernel, IDumpSink sink, params string[] words) => Run(kernel, new SocketDump(), sink, words);

    /// <summary>Whether the kernel said that its table changed meanwhile.</summary>
    public static bool IsInterrupted(FakeKernel kernel)
    {
        var dump = new SocketDump();
        Assert.Equal(0, Run(kernel, dump, new RecordingDumpSink(), "-6", "-s", "22"));
        return dump.Interrupted;
    }

    /// <summary>An empty collector for those words, of a namespace in which nothing is asked.</summary>
    public static Collector Collector(string[] words, bool keep)
    {
        var collector = new Collector(new IdleRule(Words.Rule(words)), keep, keep);
        collector.Begin(FakeNamespace.Silent);
        collector.Expect(new DumpQuery(Words.Select(words), RuleContext.Empty, marksAndCgroups: true));
        return collector;
    }

    /// <summary>The collector of what the kernel lists.</summary>
    public static Collector Collector(FakeKernel kernel, bool keep, params string[] words) => Collector(kernel, out _, keep, words);

    /// <summary>The same, and the filter.</summary>
    public static Collector Collector(FakeKernel kernel, out byte[] bytecode, bool keep, params string[] words)
    {
        Collector collector = Collector(words, keep);
        collector.Clear();
        bytecode = new SelectionDump(Words.Select(words), new SocketDump()).Run(new FakeNamespace(kernel), RuleContext.Empty, collector);
        return collector;
    }

    private static int Run(FakeKernel kernel, SocketDump dump, IDumpSink sink, params string[] words) =>
        dump.Run(new FakeNamespace(kernel), new DumpQuery(Words.Select(words), RuleContext.Empty, marksAndCgroups: true).Request, sink);
}
