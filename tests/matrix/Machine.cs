using System.Globalization;

namespace TcpCloser.Matrix;

/// <summary>The rows that this machine cannot try.</summary>
internal static class Machine
{
    private static readonly Version s_kernel = ParseVersion(File.ReadAllText("/proc/sys/kernel/osrelease"));

    /// <summary>Whether a process may trace another process of the same user (Yama's ptrace_scope may forbid it).</summary>
    internal static bool SameUserMayTrace { get; } =
        !File.Exists("/proc/sys/kernel/yama/ptrace_scope") || File.ReadAllText("/proc/sys/kernel/yama/ptrace_scope").Trim() == "0";

    private static bool HasMptcp { get; } = File.Exists("/proc/sys/net/mptcp/enabled") && File.ReadAllText("/proc/sys/net/mptcp/enabled").Trim() == "1";
    private static bool HasIPv6 { get; } = Directory.Exists("/proc/sys/net/ipv6");

    /// <summary>The reason why the row cannot be tried here; null: it can.</summary>
    internal static string? FindObstacle(Row row)
        => !HasIPv6 ? "this kernel has no IPv6"
            : row.IsMptcp && !HasMptcp ? "this kernel has no MPTCP"
            : row.Holder is "own-table" or "first-ended" && s_kernel < new Version(6, 9) ? "sockets of single threads are fetched from Linux 6.9 on"
            : row.Connection == "time-wait" && s_kernel < new Version(6, 0) ? "TIME_WAIT is destroyed from Linux 6.0 on"
            : row.Privilege == "unit" && s_kernel < new Version(5, 8) ? "each /proc hides processes of its own from Linux 5.8 on"
            : null;

    private static Version ParseVersion(string release)
    {
        string[] numbers = release.Split('.', '-', '+');
        return new Version(int.Parse(numbers[0], CultureInfo.InvariantCulture), int.Parse(numbers[1], CultureInfo.InvariantCulture));
    }
}
