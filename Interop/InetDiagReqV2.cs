using System.Runtime.InteropServices;

namespace TcpCloser.Interop;

/// <summary>struct inet_diag_req_v2 (linux/inet_diag.h), 56 bytes.</summary>
[StructLayout(LayoutKind.Sequential, Pack = 4)]
internal struct InetDiagReqV2
{
    public byte SdiagFamily;
    public byte SdiagProtocol;

    /// <summary>The extensions wanted: bit <c>1 &lt;&lt; (INET_DIAG_x - 1)</c>.</summary>
    public byte IdiagExt;
    public byte Pad;

    /// <summary>The states wanted: bit <c>1 &lt;&lt; state</c>.</summary>
    public uint IdiagStates;
    public InetDiagSockId Id;
}
