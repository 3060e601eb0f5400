using System.Text;
using TcpCloser.Interop;

namespace TcpCloser.Cli;

/// <summary>/etc/passwd (passwd(5)), read directly: a static binary has no name service.</summary>
internal static class PasswdFile
{
    /// <summary>The uid of a user; null: no such user, or no such file.</summary>
    public static uint? UidOf(string user)
    {
        foreach (string line in Encoding.UTF8.GetString(ProcFile.Read(Fcntl.AT_FDCWD, "/etc/passwd\0"u8)).Split('\n'))
        {
            string[] fields = line.Split(':');
            if (fields.Length > 2 && fields[0] == user && Digits.TryParse(fields[2], uint.MaxValue, out ulong uid))
            {
                return (uint)uid;
            }
        }

        return null;
    }
}
