using System.Globalization;

namespace TcpCloser.Matrix;

/// <summary>Two cgroups (version 2) for one row, with another one below each; removed when disposed.</summary>
internal sealed class CgroupPair : IDisposable
{
    /// <summary>The highest id for which a tmpfs is filled with inodes.</summary>
    private const long HighestId = 400_000;
    private static int s_count;
    private readonly string _root;

    private CgroupPair(string mount)
    {
        string name = $"{Environment.ProcessId}-{Interlocked.Increment(ref s_count)}";
        _root = $"{mount}/tcp-closer-matrix-{name}.slice";
        Unit = $"tcp-closer-first-{name}.service";
        First = $"{_root}/{Unit}";
        Second = $"{_root}/tcp-closer-second-{name}.service";
        Directory.CreateDirectory(BelowFirst);
        Directory.CreateDirectory(BelowSecond);
        IdOfFirst = long.Parse(Command.Run("stat", "-c", "%i", First).Stdout, CultureInfo.InvariantCulture);
    }

    internal string First { get; }
    /// <summary>The first cgroup by the name of a unit.</summary>
    internal string Unit { get; }

    internal string BelowFirst => First + "/below";
    internal string Second { get; }
    internal string BelowSecond => Second + "/below";

    /// <summary>The id of the first cgroup, which is its inode number.</summary>
    internal long IdOfFirst { get; }

    /// <summary>Creates them in the root of the cgroup2 mount; null and the reason if this machine does not allow that.</summary>
    internal static CgroupPair? TryCreate(out string reason)
    {
        string? mount = File.ReadLines("/proc/self/mounts").Select(static line => line.Split(' ')).FirstOrDefault(static words => words[2] == "cgroup2")?[1];
        if (mount is null)
        {
            reason = "no cgroup2 file system is mounted";
            return null;
        }

        try
        {
            CgroupPair pair = new(mount);
            reason = "";
            if (pair.IdOfFirst <= HighestId)
            {
                return pair;
            }

            reason = $"the cgroups of this machine have ids above {HighestId}";
            pair.Dispose();
            return null;
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            reason = $"a cgroup cannot be created: {failure.Message}";
            return null;
        }
    }

    /// <summary>The command prefix that joins a cgroup and runs a command in it.</summary>
    internal static string[] Join(string? cgroup) => cgroup is null ? [] : ["sh", "-ec", "echo 0 >\"$0/cgroup.procs\"; exec \"$@\"", cgroup];

    public void Dispose()
    {
        // The kernel releases a cgroup a moment after its processes have ended.
        foreach (string path in new[] { BelowFirst, BelowSecond, First, Second, _root }.Where(Directory.Exists))
        {
            Until.True(() => Command.Run("rmdir", path).ExitCode == 0, $"the end of all processes in {path}");
        }
    }
}
