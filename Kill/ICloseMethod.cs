using TcpCloser.Diag;
using TcpCloser.Proc;

namespace TcpCloser.Kill;

/// <summary>One way to end connections.</summary>
internal interface ICloseMethod
{
    /// <summary>The word that people type for it.</summary>
    string Name { get; }

    /// <summary>Whether it works through the processes that hold the connections.</summary>
    bool NeedsOwners { get; }

    /// <summary>Whether it ends those processes, with whatever else they do.</summary>
    bool EndsProcesses { get; }

    /// <summary>Whether a connection of MPTCP is ended whole, so that it has to be idle in all of its subflows.</summary>
    bool EndsWholeMptcp { get; }

    /// <summary>What this kernel and these privileges allow of it, found out by questions that change nothing.</summary>
    /// <param name="uids">Whose connections are meant; empty: everybody's.</param>
    Ability Check(IReadOnlyList<uint> uids);

    /// <summary>What would become of a candidate that the method cannot close; null: it would be closed, as far as can be known.</summary>
    Outcome? Obstacle(ref readonly Connection connection, SocketOwners owners);

    /// <summary>
    /// Ends those candidates that are still <see cref="Outcome.Idle"/>, and tells the outcome of each batch before it begins the
    /// next. A method that another one follows leaves what it cannot end as it is.
    /// </summary>
    /// <param name="candidates">The connections; only the sink changes them.</param>
    /// <param name="sink">Takes the results.</param>
    /// <param name="stopRequested">Asked between batches: whether to finish what is under way and leave the rest.</param>
    /// <exception cref="Interop.SystemCallException">It could not go on. What was done before has been told.</exception>
    void Close(ConnectionList candidates, IResultSink sink, Func<bool> stopRequested);
}
