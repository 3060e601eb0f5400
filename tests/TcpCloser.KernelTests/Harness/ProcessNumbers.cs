using System.Globalization;

namespace TcpCloser.KernelTests.Harness;

internal static class ProcessNumbers
{
    /// <summary>A number in /proc/PID/status; memory in kilobytes.</summary>
    internal static long Status(int pid, string name) => Read(pid, "status", name);

    /// <summary>
    /// Waits until the process has called read(2) that many times more, which is the only trace of a quiet round of a
    /// service.
    /// </summary>
    internal static void AwaitReads(int pid, int number)
    {
        long before = Read(pid, "io", "syscr:");
        Until.True(() => Read(pid, "io", "syscr:") >= before + number, $"{number} reads of process {pid}");
    }

    internal static bool IsAsleep(int pid)
    {
        string stat = File.ReadAllText($"/proc/{pid}/stat");
        return stat.AsSpan(stat.LastIndexOf(')') + 2).StartsWith("S", StringComparison.Ordinal);
    }

    private static long Read(int pid, string file, string name)
        => long.Parse(
            File.ReadLines($"/proc/{pid}/{file}").First(line => line.StartsWith(name, StringComparison.Ordinal))[name.Length..].Replace("kB", ""),
            NumberStyles.AllowLeadingWhite | NumberStyles.AllowTrailingWhite,
            CultureInfo.InvariantCulture);
}
