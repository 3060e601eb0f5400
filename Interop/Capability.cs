namespace TcpCloser.Interop;

/// <summary>linux/capability.h: what this process may do, whoever it is (capabilities(7)).</summary>
internal static unsafe class Capability
{
    public const int CAP_DAC_READ_SEARCH = 2;
    public const int CAP_KILL = 5;
    public const int CAP_NET_ADMIN = 12;
    public const int CAP_SYS_PTRACE = 19;
    public const int CAP_SYS_ADMIN = 21;

    private const uint LINUX_CAPABILITY_VERSION_3 = 0x20080522;

    /// <summary>Whether the effective set of this process has it. False also where the kernel does not tell.</summary>
    public static bool IsEffective(int capability)
    {
        // struct __user_cap_header_struct: version, pid; then two __user_cap_data_struct: effective, permitted, inheritable.
        uint* header = stackalloc uint[2] { LINUX_CAPABILITY_VERSION_3, 0 };
        uint* data = stackalloc uint[6];
        return Unistd.syscall(Unistd.SYS_capget, (nint)header, (nint)data, 0, 0, 0) == 0
            && (data[capability / 32 * 3] >> capability % 32 & 1) != 0;
    }
}
