using TcpCloser.Diag;

namespace TcpCloser.Kill;

/// <summary>Takes candidates away before anything is closed, each with a reason.</summary>
internal interface ICandidateFilter
{
    /// <summary>Tells of each candidate that is to be left alone.</summary>
    /// <param name="candidates">All of them are still to be closed.</param>
    /// <param name="sink">Takes those that are not.</param>
    /// <param name="stopRequested">Asked between batches: whether to leave the rest.</param>
    void Apply(ConnectionList candidates, IResultSink sink, Func<bool> stopRequested);
}
