using TcpCloser.Diag;
using TcpCloser.Rules;

namespace TcpCloser.Kill;

/// <summary>The order of the steps. Each step gets the candidates that the earlier ones left.</summary>
internal enum Stage
{
    /// <summary>Skips candidates that an excluded process has received since they were listed.</summary>
    Excluded,

    /// <summary>Skips candidates whose local address still exists.</summary>
    AddressGone,

    /// <summary>Skips the operator's session.</summary>
    OwnSession,

    /// <summary>Probes the peers; it is slow, so it runs after the cheaper steps that reduce their number.</summary>
    Probe,

    /// <summary>Compares the subflows of MPTCP connections with the candidates, after every step that may skip a subflow.</summary>
    WholeMptcp,

    /// <summary>Leaves some connections of each group open, of those that all earlier steps allow to close.</summary>
    Keep,

    /// <summary>Leaves everything above the limit for the next round.</summary>
    Limit,

    /// <summary>Closes the rest.</summary>
    Close,
}

/// <summary>One step of a round: skips candidates, each with a reason, or closes them.</summary>
internal interface IStep
{
    Stage Stage { get; }

    /// <summary>
    /// Reports the outcomes of candidates that are <see cref="Outcome.Pending"/>, each batch before the next one begins. A step that is not
    /// the last leaves the remaining candidates pending.
    /// </summary>
    /// <param name="candidates">The connections; only <see cref="RoundContext.Report"/> changes their outcomes.</param>
    /// <exception cref="Rules.SystemCallException">The step could not go on. Earlier results have been reported.</exception>
    void Run(ConnectionList candidates, RoundContext round);
}

/// <summary>The step that closes connections, in one of several ways.</summary>
internal interface ICloseMethod : IStep
{
    Stage IStep.Stage => Stage.Close;

    /// <summary>The name of the method on the command line.</summary>
    string Name { get; }

    /// <summary>How the method reaches a connection; with a fallback, the reach of the first method.</summary>
    Reach Reach { get; }

    /// <summary>Checks whether this kernel and these privileges allow the method, without changing anything.</summary>
    /// <param name="network">The network namespace of the connections.</param>
    /// <param name="uids">The users whose connections are meant; empty: all users.</param>
    FeatureSupport Check(Machine machine, NetworkNamespace network, IReadOnlyList<uint> uids);

    /// <summary>
    /// Reports what <see cref="IStep.Run"/> would do, with the same code except its last step: a candidate that would be closed stays
    /// <see cref="Outcome.Pending"/>, and its result names the method.
    /// </summary>
    /// <param name="candidates">The connections; their holders have been searched for.</param>
    /// <exception cref="Rules.SystemCallException">The search for holders failed.</exception>
    void Preview(ConnectionList candidates, RoundContext round);
}

/// <summary>
/// How a method reaches a connection. This alone decides whether it needs the holders, whether it ends them, and how it treats MPTCP.
/// </summary>
internal enum Reach
{
    /// <summary>
    /// Through the kernel, by addresses and cookie (SOCK_DESTROY). No process is needed. Of an MPTCP connection, it reaches only a single
    /// subflow, whose end does not end the connection.
    /// </summary>
    Kernel,

    /// <summary>Through the socket, fetched from one process that holds it. All subflows of an MPTCP connection share one socket.</summary>
    Socket,

    /// <summary>Through all of its holders, which also lose everything else that they hold.</summary>
    Process,
}

/// <summary>Whether something is possible here.</summary>
internal enum Availability
{
    Full,

    /// <summary>Only for some processes or some sockets.</summary>
    Partial,

    None,
}

/// <summary>One thing that this kernel and these privileges allow or do not allow.</summary>
/// <param name="Failure">Why not; none: it is possible.</param>
internal sealed record FeatureSupport(string Name, Failure Failure = default)
{
    public Availability Availability { get; init; } = Failure.IsNone ? Availability.Full : Availability.None;

    /// <summary>Whether it works through the holders of the sockets, and therefore only if they are visible.</summary>
    public bool NeedsProcesses { get; init; }

    /// <summary>Whether at least one visible process allows it.</summary>
    public bool HasWillingProcess { get; init; }

    public bool IsPossible => Availability == Availability.Full;

    /// <summary>Whether it works for no connection at all.</summary>
    public bool IsImpossible => Availability == Availability.None && !HasWillingProcess;
}
