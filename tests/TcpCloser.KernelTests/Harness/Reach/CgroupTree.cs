namespace TcpCloser.KernelTests.Harness.Reach;

/// <summary>Two cgroups of version 2 for one test: <c>a</c> and <c>b</c>, gone with it.</summary>
internal sealed class CgroupTree : IDisposable
{
    private static int s_number;

    private readonly string _root;

    private CgroupTree(string root) => _root = root;

    internal Dictionary<string, string> Paths { get; } = [];

    /// <summary>Makes them below the process's own cgroup; null where the machine has no cgroup v2 that may be written to.</summary>
    internal static CgroupTree? TryMake()
    {
        string? mount = File.ReadLines("/proc/self/mounts").Select(line => line.Split(' ')).FirstOrDefault(words => words[2] == "cgroup2")?[1];
        if (mount is null || Namespaces.NeedUserNamespace)
        {
            return null;
        }

        CgroupTree tree = new($"{mount}/tcp-closer-test-{Environment.ProcessId}-{Interlocked.Increment(ref s_number)}");
        try
        {
            foreach (string name in new[] { "a", "b" })
            {
                tree.Paths[name] = $"{tree._root}/{name}";
                Directory.CreateDirectory(tree.Paths[name]);
            }
            return tree;
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            tree.Dispose();
            return null;
        }
    }

    public void Dispose()
    {
        // The processes in them have ended; the kernel lets go of them a moment later.
        foreach (string path in Paths.Values.Append(_root).Where(Directory.Exists))
        {
            Until.True(() => TryRemove(path), $"the end of all processes in {path}");
        }
    }

    private static bool TryRemove(string path)
    {
        Command.Run("rmdir", path);
        return !Directory.Exists(path);
    }
}
