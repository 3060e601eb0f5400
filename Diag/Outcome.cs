namespace TcpCloser.Diag;

/// <summary>The planned or final outcome of a connection that matched.</summary>
internal enum Outcome : byte
{
    /// <summary>To be closed: it is a candidate, and nothing has been done to it yet.</summary>
    Pending,

    /// <summary>Skipped: there was data too recently.</summary>
    Busy,

    /// <summary>Skipped: the last data is too old for --last-recv-limit.</summary>
    BeyondLimit,

    /// <summary>Skipped: the kernel gives no usable clock for it.</summary>
    NoClock,

    /// <summary>Skipped: it has not matched in every round for --matched-for.</summary>
    TooNew,

    /// <summary>Skipped: its peer is not proven dead.</summary>
    Unproved,

    /// <summary>Skipped: its peer can be probed in ESTABLISHED only.</summary>
    UnprovedState,

    /// <summary>Skipped: it is a subflow of MPTCP, whose peer cannot be probed.</summary>
    UnprovedMptcp,

    /// <summary>Skipped: on its path, an answer may take longer than the probe waits for it.</summary>
    UnprovedPath,

    /// <summary>Skipped: the socket is being checkpointed or restored.</summary>
    UnprovedRepair,

    /// <summary>Skipped: its peer could not be probed.</summary>
    Unasked,

    /// <summary>Skipped: the network namespace has its local address.</summary>
    AddressPresent,

    /// <summary>Skipped: a process that --not-comm names received the socket after it was listed, or such a process may hold it.</summary>
    Excluded,

    /// <summary>Skipped: its peer is alive: it was heard from, or answered a probe.</summary>
    Answered,

    /// <summary>Skipped: it already has keepalive.</summary>
    HasKeepalive,

    /// <summary>Skipped: its own TCP_USER_TIMEOUT would end it before the new keepalive could.</summary>
    HasUserTimeout,

    /// <summary>Skipped: it has unanswered probes, so the new keepalive would end it at once.</summary>
    ProbesOutstanding,

    /// <summary>Skipped: its keepalive parameters, the system's defaults, could not be restored if setting new ones failed.</summary>
    CannotRestore,

    /// <summary>Skipped: another subflow of its MPTCP connection does not match or is not idle.</summary>
    SubflowBusy,

    /// <summary>Skipped: no process has its MPTCP connection open any more, and the kernel is winding it down.</summary>
    WindingDown,

    /// <summary>Skipped: it is one of the least idle connections of its group, which --keep leaves open.</summary>
    Kept,

    /// <summary>Skipped: in this round, others are closed first, and --limit allows no more.</summary>
    OverLimit,

    /// <summary>Skipped: it carries the operator's session.</summary>
    Spared,

    /// <summary>The kernel aborted it.</summary>
    Destroyed,

    /// <summary>It was fetched from a holder and disconnected.</summary>
    Disconnected,

    /// <summary>Every process that held it has ended or is ending, and so is the connection.</summary>
    Killed,

    /// <summary>Its peer answered a probe with a reset, because it no longer knew the connection.</summary>
    Reset,

    /// <summary>It stays open, with keepalive.</summary>
    Cured,

    /// <summary>It was gone before anything was done to it.</summary>
    Vanished,

    /// <summary>Not closed: the kernel refused; <see cref="Connection.Errno"/> has the reason.</summary>
    Failed,

    /// <summary>Not closed: no process holds it.</summary>
    NoOwner,

    /// <summary>Not closed: no holder was found, but some processes could not be inspected.</summary>
    OwnerUnknown,

    /// <summary>Not closed: one of its holders is never signalled.</summary>
    OwnerProtected,

    /// <summary>Not closed: one of its holders belongs to a different user than the socket.</summary>
    OwnerOther,

    /// <summary>Not closed: a subflow of an MPTCP connection, which SOCK_DESTROY does not end.</summary>
    Mptcp,

    /// <summary>Not closed: still there after all attempts.</summary>
    StillThere,

    /// <summary>Perhaps closed: whether it was could not be determined.</summary>
    Unknown,

    /// <summary>Not closed yet: its processes were signalled, and the run was interrupted before they had ended.</summary>
    NotAwaited,

    /// <summary>Not closed: the run was interrupted before its turn.</summary>
    NotReached,
}
