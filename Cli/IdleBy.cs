namespace TcpCloser.Cli;

/// <summary>Which direction of data counts as life.</summary>
internal enum IdleBy
{
    /// <summary>Data received.</summary>
    Recv,

    /// <summary>Data sent; retransmissions count too.</summary>
    Send,

    /// <summary>The more recent of the two.</summary>
    Both,
}
