using TcpCloser.Diag;
using TcpCloser.Interop;

namespace TcpCloser.Report;

/// <summary>How each outcome is logged, recorded and counted.</summary>
internal readonly ref struct OutcomeInfo
{
    /// <summary>How many outcomes there are. A test compares it with the enum.</summary>
    public const int Count = (int)Outcome.NotReached + 1;

    private OutcomeInfo(ReadOnlySpan<byte> name, ReadOnlySpan<byte> verb, ReadOnlySpan<byte> logReason, Level level, Counted counted,
        string? explanation = null)
    {
        Name = name;
        Verb = verb;
        LogReason = logReason;
        Level = level;
        Counted = counted;
        Explanation = explanation;
    }

    /// <summary>The <c>outcome</c> of a record, and the label of a metric.</summary>
    public ReadOnlySpan<byte> Name { get; }

    /// <summary>The word in front of the endpoints in a log line; it has no spaces.</summary>
    public ReadOnlySpan<byte> Verb { get; }

    /// <summary>The <c>reason=</c> of a log line, which is <see cref="Name"/>; empty: the verb is enough.</summary>
    public ReadOnlySpan<byte> LogReason { get; }

    public Level Level { get; }

    public Counted Counted { get; }

    /// <summary>
    /// Failures: a sentence for the dry run's table and the records; connections without a verdict: a word that names the cause; null: the
    /// name is enough.
    /// </summary>
    public string? Explanation { get; }

    public static OutcomeInfo Of(Outcome outcome) => outcome switch
    {
        Outcome.Pending => Done("would_close"u8, "would-close"u8, Counted.Idle),
        Outcome.Busy => Skipped("busy"u8),
        Outcome.BeyondLimit => Skipped("beyond_limit"u8),
        Outcome.NoClock => Skipped("no_clock"u8),
        Outcome.TooNew => Skipped("too_new"u8),
        Outcome.Unproved => Unproved(null),
        Outcome.UnprovedState => Unproved("state"),
        Outcome.UnprovedMptcp => Unproved("mptcp"),
        Outcome.UnprovedPath => Unproved("slow_path"),
        Outcome.UnprovedRepair => Unproved("repair"),
        Outcome.Unasked => Skipped("unasked"u8, counted: Counted.Unasked, cause: "no_process"),
        Outcome.AddressPresent => Skipped("address_present"u8),
        Outcome.Excluded => Skipped("excluded"u8),
        Outcome.Answered => Skipped("answered"u8, counted: Counted.Answered),
        Outcome.HasKeepalive => Skipped("has_keepalive"u8),
        Outcome.HasUserTimeout => Skipped("has_user_timeout"u8, Level.Info),
        Outcome.ProbesOutstanding => Skipped("probes_outstanding"u8, Level.Info),
        Outcome.CannotRestore => Skipped("cannot_restore"u8, Level.Info),
        Outcome.SubflowBusy => Skipped("subflow_busy"u8),
        Outcome.WindingDown => Skipped("winding_down"u8),
        Outcome.Kept => Skipped("kept"u8),
        Outcome.OverLimit => Skipped("over_limit"u8, counted: Counted.OverLimit),
        Outcome.Spared => Done("spared"u8, "spared"u8, Counted.Spared),
        Outcome.Destroyed => Done("destroyed"u8, "destroyed"u8, Counted.Closed),
        Outcome.Disconnected => Done("disconnected"u8, "disconnected"u8, Counted.Closed),
        Outcome.Killed => Done("killed"u8, "killed"u8, Counted.Closed),
        Outcome.Reset => Done("reset"u8, "reset"u8, Counted.Closed),
        Outcome.Cured => Done("cured"u8, "cured"u8, Counted.Cured),
        Outcome.Vanished => Done("vanished"u8, "vanished"u8, Counted.Vanished),
        Outcome.Failed => Failed("failed"u8, "failed"u8, [], null),
        Outcome.NoOwner => Failed("no_owner"u8, "no process shows the socket (held by io_uring, a memory mapping, a message in flight or a " +
            "hidden process); SOCK_DESTROY does not need one"),
        Outcome.OwnerUnknown => Failed("owner_unknown"u8, "no holder was found, but some processes could not be inspected"),
        Outcome.OwnerProtected => Failed("owner_protected"u8, "held by a process that is never signalled (process 1, a kernel thread, " +
            "tcp-closer or one of its ancestors, or a process that cannot be inspected)"),
        Outcome.OwnerOther => Failed("owner_other"u8, "held by a process of a different user than the socket's"),
        Outcome.Mptcp => Failed("mptcp"u8, "SOCK_DESTROY does not end an MPTCP connection: use --method auto or disconnect"),
        Outcome.StillThere => Failed("still_there"u8, "still open after all attempts"),
        Outcome.Unknown => Failed("unknown"u8, "whether it was closed could not be determined"),
        Outcome.NotAwaited => Failed("not_awaited"u8, "its processes were signalled, but the run was interrupted before they ended"),
        Outcome.NotReached => Failed("not_reached"u8, "not-reached"u8, [], "the run was interrupted before this connection's turn"),
    };

    /// <summary>The <c>reason</c> of a record and of a row in a dry run's table; null: the outcome is enough.</summary>
    public string? ReasonFor(ref readonly Connection connection)
    {
        string? reason = connection.Outcome == Outcome.NoOwner && connection.Inode == 0
            ? "no process has the socket open (inode 0): only SOCK_DESTROY can close it"
            : Explanation;
        return !HasErrno(in connection) ? reason
            : reason is null || Counted == Counted.Unasked ? Errno.Describe(connection.Errno)
            : $"{reason}: {Errno.Describe(connection.Errno)}";
    }

    /// <summary>Adds <c> reason=unproved cause=mptcp</c> or <c> reason=no_owner errno=EPERM</c>, as far as there are such words.</summary>
    public void AddReason(TextBuffer text, ref readonly Connection connection)
    {
        if (!LogReason.IsEmpty)
        {
            text.Add(" reason="u8).Add(LogReason);
        }

        if (HasErrno(in connection))
        {
            text.Add(" errno="u8).Add(Errno.Name(connection.Errno));
        }
        else if (Counted is Counted.Unproved or Counted.Unasked && Explanation is not null)
        {
            text.Add(" cause="u8).Add(Explanation);
        }
    }

    private bool HasErrno(ref readonly Connection connection) => connection.Errno != 0 && Counted is (Counted.Failed or Counted.Unasked);

    private static OutcomeInfo Done(ReadOnlySpan<byte> name, ReadOnlySpan<byte> verb, Counted counted) => new(name, verb, [], Level.Info, counted);

    private static OutcomeInfo Skipped(ReadOnlySpan<byte> name, Level level = Level.Debug, Counted counted = Counted.Matched, string? cause = null) =>
        new(name, "skipped"u8, name, level, counted, cause);

    private static OutcomeInfo Unproved(string? cause) => Skipped("unproved"u8, counted: Counted.Unproved, cause: cause);

    private static OutcomeInfo Failed(ReadOnlySpan<byte> name, string sentence) => Failed(name, "failed"u8, name, sentence);

    private static OutcomeInfo Failed(ReadOnlySpan<byte> name, ReadOnlySpan<byte> verb, ReadOnlySpan<byte> logReason, string? sentence) =>
        new(name, verb, logReason, Level.Error, Counted.Failed, sentence);
}

/// <summary>The summary column an outcome is counted in.</summary>
internal enum Counted
{
    /// <summary>It matched and was skipped; <c>matched</c> is its only column.</summary>
    Matched,

    /// <summary>Skipped because its peer answered.</summary>
    Answered,

    /// <summary>Skipped because its peer is not proven dead.</summary>
    Unproved,

    /// <summary>Skipped because its peer could not be probed.</summary>
    Unasked,

    /// <summary>Skipped because --limit allows no more in this round.</summary>
    OverLimit,

    /// <summary>It would be closed.</summary>
    Idle,

    Closed,

    /// <summary>It stays open, with keepalive.</summary>
    Cured,

    Vanished,

    Spared,

    Failed,
}
