using TcpCloser.Interop;

namespace TcpCloser.Diag;

/// <summary>Takes the sockets of a dump.</summary>
internal interface IDumpSink
{
    /// <summary>Forget what this dump brought: it is begun again.</summary>
    void Reset();

    /// <param name="message">The socket.</param>
    /// <param name="attributes">What is attached to it; overwritten after the call.</param>
    void Add(ref readonly InetDiagMsg message, in SocketAttributes attributes);
}
