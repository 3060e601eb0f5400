namespace TcpCloser.Kill;

/// <summary>What was found about a candidate on the way to its processes.</summary>
[Flags]
internal enum HeldState : byte
{
    None = 0,

    /// <summary>A process that holds it was signalled.</summary>
    Signalled = 1,

    /// <summary>A signal was refused, or the look right before it.</summary>
    Refused = 2,

    /// <summary>It was not idle any more when looked at again.</summary>
    Busy = 4,

    /// <summary>The run was interrupted before a process that holds it.</summary>
    NotReached = 8,
}
