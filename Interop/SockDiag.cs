namespace TcpCloser.Interop;

/// <summary>linux/sock_diag.h and linux/inet_diag.h: constants.</summary>
internal static class SockDiag
{
    /// <summary>The request of before Linux 3.3: walks both families in one pass. Its answers carry this type too.</summary>
    public const ushort TCPDIAG_GETSOCK = 18;
    public const ushort SOCK_DIAG_BY_FAMILY = 20;
#if !NO_SOCK_DESTROY
    public const ushort SOCK_DESTROY = 21;
#endif

    /// <summary>The cookie of a request that takes any socket (INET_DIAG_NOCOOKIE): no socket has it.</summary>
    public const ulong INET_DIAG_NOCOOKIE = ulong.MaxValue;

    public const byte IPPROTO_TCP = 6;
    public const ushort IPPROTO_MPTCP = 262;

    public const ushort INET_DIAG_REQ_BYTECODE = 1;
    public const ushort INET_DIAG_REQ_PROTOCOL = 3;

    public const ushort INET_DIAG_INFO = 2;
    public const ushort INET_DIAG_MARK = 15;
    public const ushort INET_DIAG_ULP_INFO = 19;
    public const ushort INET_DIAG_CGROUP_ID = 21;

    /// <summary>Nested in INET_DIAG_ULP_INFO: the name, <c>mptcp</c> for a subflow, with its NUL.</summary>
    public const ushort INET_ULP_INFO_NAME = 1;

    public const byte INET_DIAG_BC_JMP = 1;
    public const byte INET_DIAG_BC_S_GE = 2;
    public const byte INET_DIAG_BC_S_LE = 3;
    public const byte INET_DIAG_BC_D_GE = 4;
    public const byte INET_DIAG_BC_D_LE = 5;
    public const byte INET_DIAG_BC_S_COND = 7;
    public const byte INET_DIAG_BC_D_COND = 8;
    public const byte INET_DIAG_BC_DEV_COND = 9;
    public const byte INET_DIAG_BC_MARK_COND = 10;
    public const byte INET_DIAG_BC_CGROUP_COND = 13;
}
