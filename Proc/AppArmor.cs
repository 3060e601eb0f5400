using TcpCloser.Interop;
using TcpCloser.Rules;

namespace TcpCloser.Proc;

/// <summary>
/// AppArmor's confinement of this process. The default profiles of container engines (docker-default, cri-containerd.apparmor.d) refuse
/// ptrace of, and signals to, processes of other profiles, whatever the capabilities of the container.
/// </summary>
internal static class AppArmor
{
    /// <summary>The name of the profile that confines this process; null: none does, or it is unknown.</summary>
    public static string? Profile
    {
        get
        {
            byte[] current = ProcFile.Read(Fcntl.AT_FDCWD, "/proc/thread-self/attr/apparmor/current\0"u8); // Linux 5.8
            return ProfileOf(current.Length > 0 ? current : ProcFile.Read(Fcntl.AT_FDCWD, "/proc/thread-self/attr/current\0"u8));
        }
    }

    /// <summary>
    /// The profile in the text of such a file: <c>docker-default (enforce)</c>. The older file may belong to another security module,
    /// whose labels have no mode. A profile in another mode than enforce refuses nothing.
    /// </summary>
    internal static string? ProfileOf(ReadOnlySpan<byte> current)
    {
        int mode = current.LastIndexOf(" (enforce)"u8);
        return mode > 0 ? Escape.Text(current[..mode]) : null;
    }
}
