namespace TcpCloser.Diag;

/// <summary>Whether a socket is one of those that a rule means.</summary>
internal enum Match
{
    No,

    Yes,

    /// <summary>Nobody knows: the kernel neither filtered by mark or cgroup nor told those of the socket.</summary>
    Undecided,
}
