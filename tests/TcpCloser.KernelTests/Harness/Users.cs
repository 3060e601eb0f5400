using Xunit;

namespace TcpCloser.KernelTests.Harness;

/// <summary>Other users than root, and what they may do.</summary>
internal static class Users
{
    /// <summary>Whom no file and no other process belongs to.</summary>
    internal const int Nobody = 65534;

    internal const int Somebody = 1001;

    /// <summary>Skips the test where there are no other users.</summary>
    internal static void Require()
        => Assert.SkipWhen(Namespaces.NeedUserNamespace, "in a user namespace there is no second user to be");

    /// <summary>The command that becomes a user, with those capabilities alone (<c>net_admin</c>), and then runs what is appended.</summary>
    internal static string[] As(int uid, params string[] capabilities)
    {
        string granted = string.Join(',', capabilities.Select(static name => "+" + name));
        string[] grant = capabilities.Length == 0 ? [] : ["--inh-caps", granted, "--ambient-caps", granted];
        return ["setpriv", "--reuid", $"{uid}", "--regid", $"{uid}", "--clear-groups", .. grant];
    }

    /// <summary>A user's Lab, in the namespaces of another.</summary>
    internal static LabProcess StartLab(LabProcess home, int uid, params string[] options)
    {
        Require();
        return LabProcess.Start(new LabSurroundings { Within = home, OwnProcesses = true, Preparation = $"set -- {string.Join(' ', As(uid))} \"$@\"" }, options);
    }
}
