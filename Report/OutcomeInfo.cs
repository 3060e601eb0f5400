using TcpCloser.Diag;
using TcpCloser.Interop;

namespace TcpCloser.Report;

/// <summary>What is said of an outcome, and how it counts.</summary>
internal readonly ref struct OutcomeInfo
{
    private OutcomeInfo(ReadOnlySpan<byte> name, ReadOnlySpan<byte> verb, Level level, Counted counted, string? reason = null)
    {
        Name = name;
        Verb = verb;
        Level = level;
        Counted = counted;
        Reason = reason;
    }

    /// <summary>Its name in records.</summary>
    public ReadOnlySpan<byte> Name { get; }

    /// <summary>What a line begins with.</summary>
    public ReadOnlySpan<byte> Verb { get; }

    public Level Level { get; }

    public Counted Counted { get; }

    /// <summary>Why it could not be closed, where that is the same for all; null: it is not, or it was.</summary>
    public string? Reason { get; }

    public static OutcomeInfo Of(Outcome outcome) => outcome switch
    {
        Outcome.Idle => new("would_close"u8, "would close "u8, Level.Info, Counted.Idle),
        Outcome.Busy => new("busy"u8, "left alone: not idle long enough "u8, Level.Debug, Counted.Matched),
        Outcome.BeyondLimit => new("beyond_limit"u8, "left alone: idle beyond --last-recv-limit "u8, Level.Debug, Counted.Matched),
        Outcome.NoClock => new("no_clock"u8, "left alone: no usable clock "u8, Level.Debug, Counted.Matched),
        Outcome.Unproved => new("unproved"u8, "left alone: not proved dead "u8, Level.Debug, Counted.Matched),
        Outcome.AddressPresent => new("address_present"u8, "left alone: its local address is there "u8, Level.Debug, Counted.Matched),
        Outcome.Answered => new("answered"u8, "left alone: its peer lives "u8, Level.Debug, Counted.Matched),
        Outcome.HasKeepalive => new("has_keepalive"u8, "left alone: it has keepalive "u8, Level.Debug, Counted.Matched),
        Outcome.HasUserTimeout => new("has_user_timeout"u8,
            "left alone: its own TCP_USER_TIMEOUT is shorter than the keepalive "u8, Level.Info, Counted.Matched),
        Outcome.SubflowBusy => new("subflow_busy"u8,
            "left alone: another subflow of its MPTCP connection does not match or is not idle "u8, Level.Debug, Counted.Matched),
        Outcome.Spared => new("spared"u8, "spared: it carries the own session "u8, Level.Info, Counted.Spared),
        Outcome.Destroyed => new("destroyed"u8, "destroyed "u8, Level.Info, Counted.Closed),
        Outcome.Disconnected => new("disconnected"u8, "disconnected "u8, Level.Info, Counted.Closed),
        Outcome.Killed => new("killed"u8, "closed by kill "u8, Level.Info, Counted.Closed),
        Outcome.Reset => new("reset"u8, "reset by its peer, which no longer knew it, "u8, Level.Info, Counted.Closed),
        Outcome.Cured => new("cured"u8, "cured "u8, Level.Info, Counted.Cured),
        Outcome.Vanished => new("vanished"u8, "vanished "u8, Level.Info, Counted.Vanished),
        Outcome.Failed => Failure("failed"u8, "failed "u8, null),
        Outcome.NoOwner => Failure("no_owner"u8, "failed "u8, "no process found that holds it"),
        Outcome.OwnerProtected => Failure("owner_protected"u8, "failed "u8, "held by a process that is never signalled: process 1, " +
            "kernel threads, tcp-closer and its ancestors, and what cannot be looked at"),
        Outcome.OwnerOther => Failure("owner_other"u8, "failed "u8, "held by a process of another user than the socket's"),
        Outcome.StillThere => Failure("still_there"u8, "failed "u8, "everything was tried, and it is still there"),
        Outcome.Unknown => Failure("unknown"u8, "failed "u8, "what became of it could not be found out"),
        Outcome.NotReached => Failure("not_reached"u8, "not reached "u8, "the run was interrupted before its turn"),
    };

    /// <summary>Why a connection could not be closed; null where it was not tried, or was.</summary>
    public string? ReasonFor(ref readonly Connection connection)
    {
        string? reason = connection.Outcome == Outcome.NoOwner && connection.Inode == 0
            ? "no process has it open (inode 0), so only SOCK_DESTROY can close it"
            : Reason;
        return connection.Errno == 0 || Counted != Counted.Failed ? reason
            : reason is null ? Errno.Describe(connection.Errno)
            : $"{reason}: {Errno.Describe(connection.Errno)}";
    }

    private static OutcomeInfo Failure(ReadOnlySpan<byte> name, ReadOnlySpan<byte> verb, string? reason) =>
        new(name, verb, Level.Error, Counted.Failed, reason);
}
