namespace TcpCloser.KernelTests.Harness;

/// <summary>How the tests can create namespaces on this machine: as root, or as any user in a user namespace.</summary>
internal static class Namespaces
{
    private static readonly Lazy<bool> s_asRoot = new(() => Works("-n"));
    private static readonly Lazy<bool> s_asUser = new(() => Works("-rn"));
    internal static bool NeedUserNamespace => !s_asRoot.Value;

    /// <summary>Skips the test if neither is allowed: it is reported as skipped, not as passed.</summary>
    internal static void Require()
        => Assert.SkipUnless(s_asRoot.Value || s_asUser.Value, "neither root nor user namespaces: no network namespace to test in");

    internal static string[] Enter(bool ownProcesses, bool ownMounts)
    {
        List<string> command = ["unshare", NeedUserNamespace ? "-rn" : "-n"];
        if (ownProcesses)
        {
            command.AddRange(["-p", "-f", "--mount-proc", "--kill-child"]);
        }

        if (ownMounts && !ownProcesses)
        {
            command.Add("-m");
        }

        command.Add("--");
        return [.. command];
    }

    internal static string[] Join(int pid, bool ownProcesses, bool ownMounts)
    {
        List<string> command = ["nsenter", "-t", $"{pid}", "-n"];
        if (NeedUserNamespace)
        {
            command.AddRange(["-U", "--preserve-credentials"]);
        }

        if (ownProcesses)
        {
            command.AddRange(["-p", "-m"]);
        }
        else if (ownMounts)
        {
            command.Add("-m");
        }

        command.Add("--");
        return [.. command];
    }

    private static bool Works(string flags) => Command.Run("unshare", flags, "true").ExitCode == 0;
}
