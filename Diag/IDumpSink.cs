using TcpCloser.Interop;

namespace TcpCloser.Diag;

/// <summary>Takes the sockets of a dump.</summary>
internal interface IDumpSink
{
    /// <summary>Forget everything: the dump is begun again.</summary>
    void Reset();

    /// <param name="message">The socket.</param>
    /// <param name="attributes">Its attributes, still packed; they are overwritten after the call.</param>
    void Add(ref readonly InetDiagMsg message, ReadOnlySpan<byte> attributes);
}
