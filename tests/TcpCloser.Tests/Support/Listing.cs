using TcpCloser.Diag;

namespace TcpCloser.Tests.Support;

/// <summary>A dump as tests run it. How dump, selection and census are put together is known only here.</summary>
internal static class Listing
{
    /// <summary>Lists into the sink and returns the bytecode.</summary>
    public static byte[] Run(FakeKernel kernel, IDumpSink sink, params string[] words) => new SocketDump().Run(new FakeNamespace(kernel), Words.Select(words), half: null, sink);

    /// <summary>Whether the kernel said that its table changed meanwhile.</summary>
    public static bool IsInterrupted(FakeKernel kernel)
    {
        var dump = new SocketDump();
        dump.Run(new FakeNamespace(kernel), Words.Select("-6", "-s", "22"), half: null, new RecordingSink());
        return dump.Interrupted;
    }

    /// <summary>An empty census for those words.</summary>
    public static Census Census(string[] words, bool keep)
    {
        var census = new Census(Words.Select(words), new IdleRule(Words.Parse(words)), keep, keep);
        census.Begin(FakeNamespace.Silent);
        return census;
    }

    /// <summary>The census of what the kernel lists.</summary>
    public static Census Census(FakeKernel kernel, bool keep, params string[] words)
    {
        Census census = Census(words, keep);
        Run(kernel, census, words);
        return census;
    }
}
