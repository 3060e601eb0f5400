namespace TcpCloser.KernelTests.Harness.Reach;

/// <summary>Cgroups (version 2) for one test, removed when disposed.</summary>
internal sealed class CgroupTree : IDisposable
{
    private static int s_number;

    private CgroupTree(string root) => Root = root;

    internal string Root { get; }
    internal Dictionary<string, string> Paths { get; } = [];
    internal string Mount { get; private init; } = "";

    /// <summary>
    /// Creates <c>a</c> and <c>b</c> in the root of the cgroup2 mount; null if the machine has no cgroup2 that may be written
    /// to.
    /// </summary>
    internal static CgroupTree? TryCreate() => TryCreate("a", "b");

    /// <summary>Creates cgroups of these names, which may be paths; null if the machine does not allow that.</summary>
    internal static CgroupTree? TryCreate(params string[] names)
    {
        string? mount = File.ReadLines("/proc/self/mounts").Select(line => line.Split(' ')).FirstOrDefault(words => words[2] == "cgroup2")?[1];
        if (mount is null || Namespaces.NeedUserNamespace)
        {
            return null;
        }

        CgroupTree tree = new($"{mount}/tcp-closer-test-{Environment.ProcessId}-{Interlocked.Increment(ref s_number)}") { Mount = mount };
        try
        {
            foreach (string name in names)
            {
                tree.Paths[name] = $"{tree.Root}/{name}";
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
        // The processes in them have ended; the kernel releases the cgroups a moment later.
        if (Directory.Exists(Root))
        {
            string[] below = Directory.GetDirectories(Root, "*", SearchOption.AllDirectories);
            foreach (string path in below.OrderByDescending(path => path.Length).Append(Root))
            {
                Until.True(() => TryRemove(path), $"the end of all processes in {path}");
            }
        }
    }

    private static bool TryRemove(string path)
    {
        Command.Run("rmdir", path);
        return !Directory.Exists(path);
    }
}
