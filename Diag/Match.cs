namespace TcpCloser.Diag;

/// <summary>Whether a socket is one of those that a rule means.</summary>
internal enum Match
{
    No,

    Yes,

    /// <summary>It is not known: the kernel neither filtered by mark or cgroup nor told those of the socket.</summary>
    Undecided,
}
