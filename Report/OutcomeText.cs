using TcpCloser.Diag;
using TcpCloser.Interop;
using TcpCloser.Kill;

namespace TcpCloser.Report;

/// <summary>Outcomes as words: for lines, and for records the names that programs read.</summary>
internal static class OutcomeText
{
    /// <summary>What a line begins with.</summary>
    public static ReadOnlySpan<byte> Verb(Outcome outcome) => outcome switch
    {
        Outcome.Idle => "would close "u8,
        Outcome.Busy => "left alone: not idle long enough "u8,
        Outcome.BeyondLimit => "left alone: idle beyond --last-recv-limit "u8,
        Outcome.NoClock => "left alone: no usable clock "u8,
        Outcome.Acknowledged => "left alone: nothing unacknowledged for long enough "u8,
        Outcome.SubflowBusy => "left alone: another subflow of its MPTCP connection does not match or is not idle "u8,
        Outcome.Spared => "spared: it carries the own session "u8,
        Outcome.Destroyed => "destroyed "u8,
        Outcome.Disconnected => "disconnected "u8,
        Outcome.Killed => "closed by kill "u8,
        Outcome.Vanished => "vanished "u8,
        Outcome.NotReached => "not reached "u8,
        _ => "failed "u8,
    };

    /// <summary>The outcome's name in records.</summary>
    public static ReadOnlySpan<byte> Name(Outcome outcome) => outcome switch
    {
        Outcome.Idle => "would_close"u8,
        Outcome.Busy => "busy"u8,
        Outcome.BeyondLimit => "beyond_limit"u8,
        Outcome.NoClock => "no_clock"u8,
        Outcome.Acknowledged => "acknowledged"u8,
        Outcome.SubflowBusy => "subflow_busy"u8,
        Outcome.Spared => "spared"u8,
        Outcome.Destroyed => "destroyed"u8,
        Outcome.Disconnected => "disconnected"u8,
        Outcome.Killed => "killed"u8,
        Outcome.Vanished => "vanished"u8,
        Outcome.NotReached => "not_reached"u8,
        _ => "failed"u8,
    };

    public static Level LevelOf(Outcome outcome) => outcome switch
    {
        Outcome.Busy or Outcome.BeyondLimit or Outcome.NoClock or Outcome.Acknowledged or Outcome.SubflowBusy => Level.Debug,
        Outcome.NotReached => Level.Warning,
        Outcome.Failed or Outcome.NoOwner or Outcome.OwnerProtected or Outcome.StillThere => Level.Error,
        _ => Level.Info,
    };

    /// <summary>Why it could not be closed; null where it did not fail.</summary>
    public static string? Reason(ref readonly Connection connection) => connection.Outcome switch
    {
        Outcome.NoOwner when connection.Inode == 0 => "nobody has it open (inode 0), so only SOCK_DESTROY can close it",
        Outcome.NoOwner => "no process found that holds it",
        Outcome.OwnerProtected => "held only by processes that are never signalled: process 1, kernel threads, tcp-closer and its ancestors, " +
            "and what cannot be looked at",
        Outcome.StillThere => "its processes were signalled, and it is still there",
        Outcome.Failed when connection.FailedErrno == Errno.EBUSY => Errno.Describe(Errno.EBUSY) + ": " + SocketDisconnector.Remedy(Errno.EBUSY),
        Outcome.Failed => Errno.Describe(connection.FailedErrno),
        _ => null,
    };
}
