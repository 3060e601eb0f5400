namespace TcpCloser.Kill;

/// <summary>What was found about a connection on the way to its processes.</summary>
[Flags]
internal enum HeldState : byte
{
    /// <summary>No process was found.</summary>
    None = 0,

    /// <summary>A process that is never signalled holds it.</summary>
    Protected = 1,

    /// <summary>A process that holds it was signalled.</summary>
    Signalled = 2,

    /// <summary>A signal was refused.</summary>
    Refused = 4,

    /// <summary>It was not idle any more when looked at again.</summary>
    Busy = 8,

    /// <summary>The run was broken off before a process that holds it.</summary>
    NotReached = 16,

    /// <summary>It is gone.</summary>
    Gone = 32,
}
