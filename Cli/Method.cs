namespace TcpCloser.Cli;

/// <summary>How a connection is ended.</summary>
internal enum Method
{
#if !NO_SOCK_DESTROY
    /// <summary>SOCK_DESTROY: the kernel aborts the connection.</summary>
    Destroy,
#endif

    /// <summary>The processes that hold the socket are found in /proc and signalled.</summary>
    Kill,
}
