namespace TcpCloser.Cli;

/// <summary>How a connection is ended.</summary>
internal enum Method
{
    /// <summary>Destroy, and where the kernel has no SOCK_DESTROY, disconnect. MPTCP connections are always disconnected.</summary>
    Auto,
#if !NO_SOCK_DESTROY
    /// <summary>SOCK_DESTROY: the kernel aborts the connection.</summary>
    Destroy,
#endif

    /// <summary>The socket is fetched from its owner and disconnected.</summary>
    Disconnect,

    /// <summary>The processes that hold the socket are found in /proc and signalled.</summary>
    Kill,

    /// <summary>Nothing is ended: the socket is given TCP keepalive, by which the kernel finds a dead peer.</summary>
    Keepalive,
}
