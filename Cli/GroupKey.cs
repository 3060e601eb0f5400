namespace TcpCloser.Cli;

/// <summary>By what <c>--group-by</c> counts connections.</summary>
internal enum GroupKey
{
    /// <summary>The port of the side that listens.</summary>
    Port,

    /// <summary>The remote address.</summary>
    Peer,

    /// <summary>The process that holds the socket.</summary>
    Process,

    /// <summary>The user whom the socket belongs to.</summary>
    Uid,

    /// <summary>The TCP state.</summary>
    State,

    /// <summary>The network namespace.</summary>
    Netns,
}
