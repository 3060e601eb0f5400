namespace TcpCloser.Diag;

/// <summary>Ops of the bytecode that not every kernel knows; one that does not answers EINVAL.</summary>
[Flags]
internal enum KernelOps
{
    /// <summary>GE, LE and host conditions, which all have.</summary>
    Basic = 0,

    /// <summary>S_EQ and D_EQ, from about Linux 4.16.</summary>
    Equal = 1,

    /// <summary>MARK_COND (Linux 4.4) and CGROUP_COND (5.9).</summary>
    MarkAndCgroup = 2,
}
