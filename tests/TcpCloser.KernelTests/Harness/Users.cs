namespace TcpCloser.KernelTests.Harness;

/// <summary>Users other than root, and their capabilities.</summary>
internal static class Users
{
    /// <summary>The user nobody, who owns no file and no other process.</summary>
    internal const int Nobody = 65534;
    internal const int Somebody = 1001;

    /// <summary>Skips the test if there are no other users.</summary>
    internal static void Require() => Assert.SkipWhen(Namespaces.NeedUserNamespace, "a user namespace has no second user");

    /// <summary>The command prefix that runs a command as a user with only those capabilities (<c>net_admin</c>).</summary>
    internal static string[] As(int uid, params string[] capabilities)
    {
        string granted = string.Join(',', capabilities.Select(static name => "+" + name));
        string[] grant = capabilities.Length == 0 ? [] : ["--inh-caps", granted, "--ambient-caps", granted];
        return ["setpriv", "--reuid", $"{uid}", "--regid", $"{uid}", "--clear-groups", .. grant];
    }

    /// <summary>Starts a user's Lab in the namespaces of another Lab.</summary>
    internal static LabProcess StartLab(LabProcess home, int uid, params string[] options)
    {
        Require();
        return LabProcess.Start(new LabEnvironment { Enter = home.Inside(), OwnProcesses = true, Preparation = $"set -- {string.Join(' ', As(uid))} \"$@\"" }, options);
    }
}
