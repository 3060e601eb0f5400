namespace TcpCloser.Interop;

/// <summary>
/// struct inet_diag_bc_op (linux/inet_diag.h), 4 bytes. Both branches are offsets in bytes from this op. A second op behind
/// a port op carries the port, in host order, in its <see cref="No"/>.
/// </summary>
internal struct InetDiagBcOp
{
    public byte Code;
    public byte Yes;
    public ushort No;
}
