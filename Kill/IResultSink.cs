using TcpCloser.Interop;
using TcpCloser.Proc;

namespace TcpCloser.Kill;

/// <summary>Takes what candidate filters and close methods found out and did, and tells it before they go on.</summary>
internal interface IResultSink
{
    /// <summary>The outcomes of these candidates are final. Each candidate gets one.</summary>
    /// <param name="results">The results; overwritten after the call.</param>
    void Completed(ReadOnlySpan<Result> results);

    /// <summary>What is known of who holds the candidates, for what is told of these from here on. It may still grow.</summary>
    void Found(SocketOwners owners);

    /// <summary>A process was signalled.</summary>
    void Signalled(SocketHolder process, int signal);

    /// <summary>Something that is true of the run, not of one connection, and explains why connections stay.</summary>
    /// <param name="operation">What failed.</param>
    /// <param name="errno">Why.</param>
    /// <param name="subject">What it was tried on; null: the operation says it all.</param>
    void Problem(Operation operation, int errno, string? subject = null);

    /// <summary>The same where a part of what was asked for could be done: whatever failed, it is not impossible here.</summary>
    void Incomplete(Operation operation, int errno, string? subject = null);

    /// <summary>Something that a reader should know, and that is no failure.</summary>
    void Notice(string text);
}
