using System.Runtime.InteropServices;

namespace TcpCloser.Interop;

/// <summary>struct inet_diag_msg (linux/inet_diag.h), 72 bytes: one socket of a dump; its attributes follow.</summary>
[StructLayout(LayoutKind.Sequential, Pack = 4)]
internal struct InetDiagMsg
{
    public byte IdiagFamily;
    public byte IdiagState;
    public byte IdiagTimer;
    public byte IdiagRetrans;
    public InetDiagSockId Id;

    /// <summary>Milliseconds until the timer fires.</summary>
    public uint IdiagExpires;

    /// <summary>Bytes received and not read; of a listener, connections not accepted.</summary>
    public uint IdiagRqueue;

    /// <summary>Bytes written and not acknowledged; of a listener, the backlog.</summary>
    public uint IdiagWqueue;
    public uint IdiagUid;

    /// <summary>0: nobody has the socket open (TIME_WAIT, orphans, connections not accepted yet).</summary>
    public uint IdiagInode;
}
