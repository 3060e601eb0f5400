namespace TcpCloser.Interop;

/// <summary>struct inet_diag_hostcond (linux/inet_diag.h), 8 bytes; the address, in network order, follows (4 or 16 bytes).</summary>
internal struct InetDiagHostCond
{
    public byte Family;

    /// <summary>Bits of the address that count; 0 with a family: any address of that family.</summary>
    public byte PrefixLen;

    /// <summary>Host order; -1 is any.</summary>
    public int Port;
}
