namespace TcpCloser.Diag;

/// <summary>What is to become, or became, of a connection that matched.</summary>
internal enum Outcome : byte
{
    /// <summary>Idle: to be closed, nothing done yet.</summary>
    Idle,

    /// <summary>Left alone: data came too recently.</summary>
    Busy,

    /// <summary>Left alone: data came too long ago for --last-recv-limit.</summary>
    BeyondLimit,

    /// <summary>Left alone: the kernel gives no usable clock for it.</summary>
    NoClock,

    /// <summary>Left alone: nothing is in flight, or it was acknowledged recently enough for --no-ack-for.</summary>
    Acknowledged,

    /// <summary>Left alone: another subflow of its MPTCP connection does not match or is not idle.</summary>
    SubflowBusy,

    /// <summary>Left alone: it carries the operator's own session.</summary>
    Spared,

    /// <summary>The kernel aborted it.</summary>
    Destroyed,

    /// <summary>It was fetched from its owner and disconnected.</summary>
    Disconnected,

    /// <summary>Every process that held it is gone or going, and so is the connection.</summary>
    Killed,

    /// <summary>It was gone before anything was done to it.</summary>
    Vanished,

    /// <summary>Not closed: the kernel refused, for <see cref="Connection.FailedErrno"/>.</summary>
    Failed,

    /// <summary>Not closed: no process was found that holds it.</summary>
    NoOwner,

    /// <summary>Not closed: only processes hold it that are never signalled.</summary>
    OwnerProtected,

    /// <summary>Not closed: its processes were signalled, and it is still there.</summary>
    StillThere,

    /// <summary>Not closed: the run was broken off before its turn.</summary>
    NotReached,
}
