namespace TcpCloser.Diag;

/// <summary>A NETLINK_SOCK_DIAG socket. Behind an interface, so that tests can answer what no kernel at hand answers.</summary>
internal interface INetlinkSocket : IDisposable
{
    /// <summary>Sends messages to the kernel, which runs them before this returns.</summary>
    /// <returns>0 or the errno.</returns>
    int Send(ReadOnlySpan<byte> messages);

    /// <summary>Receives one datagram.</summary>
    /// <param name="buffer">Where it goes; what does not fit is lost.</param>
    /// <param name="wait">Whether to wait a second for one; where none comes, EAGAIN.</param>
    /// <param name="sender">The sender's netlink port id; the kernel is 0.</param>
    /// <returns>The datagram's full length, which may be beyond the buffer; or minus the errno.</returns>
    int Receive(Span<byte> buffer, bool wait, out uint sender);

    /// <summary>The index of a device in the socket's network namespace; 0: no such device.</summary>
    /// <exception cref="Interop.SystemCallException">It could not be asked for.</exception>
    uint DeviceIndex(string name);

    /// <summary>The name of a device in the socket's network namespace; empty: no such device.</summary>
    byte[] DeviceName(uint index);
}
