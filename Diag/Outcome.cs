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

    /// <summary>Left alone: there is no proof that its peer is silent, or the peer cannot be asked.</summary>
    Unproved,

    /// <summary>Left alone: the network namespace has its local address.</summary>
    AddressPresent,

    /// <summary>Left alone: its peer lives: it was heard from, or answered when asked.</summary>
    Answered,

    /// <summary>Left alone: it has keepalive already.</summary>
    HasKeepalive,

    /// <summary>Left alone: its own TCP_USER_TIMEOUT would end it before the keepalive that it is to be given.</summary>
    HasUserTimeout,

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

    /// <summary>Its peer no longer knew it and said so when it was asked, which ended it.</summary>
    Reset,

    /// <summary>It lives on, with keepalive.</summary>
    Cured,

    /// <summary>It was gone before anything was done to it.</summary>
    Vanished,

    /// <summary>Not closed: the kernel refused, for <see cref="Connection.Errno"/>.</summary>
    Failed,

    /// <summary>Not closed: no process was found that holds it.</summary>
    NoOwner,

    /// <summary>Not closed: a process holds it that is never signalled.</summary>
    OwnerProtected,

    /// <summary>Not closed: a process of another user than the socket's holds it.</summary>
    OwnerOther,

    /// <summary>Not closed: everything was tried, and it is still there.</summary>
    StillThere,

    /// <summary>Perhaps closed: what became of it could not be found out.</summary>
    Unknown,

    /// <summary>Not closed: the run was interrupted before its turn.</summary>
    NotReached,
}
