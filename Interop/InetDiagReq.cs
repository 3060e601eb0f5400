using System.Runtime.InteropServices;

namespace TcpCloser.Interop;

/// <summary>struct inet_diag_req (linux/inet_diag.h), 60 bytes: the body of a TCPDIAG_GETSOCK request.</summary>
[StructLayout(LayoutKind.Sequential, Pack = 4)]
internal struct InetDiagReq
{
    /// <summary>Not looked at by a dump, which lists both families.</summary>
    public byte IdiagFamily;
    public byte IdiagSrcLen;
    public byte IdiagDstLen;
    public byte IdiagExt;
    public InetDiagSockId Id;
    public uint IdiagStates;
    public uint IdiagDbs;
}
