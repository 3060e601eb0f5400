namespace TcpCloser.Cli;

/// <summary>/etc/passwd (passwd(5)), read directly: a static binary has no name service.</summary>
internal static class PasswdFile
{
    /// <summary>Looks a user up; null: there is none of that name. Returns 0 or the errno of reading the file.</summary>
    public static int Find(string user, out uint? uid)
    {
        int errno = SystemFile.Read("/etc/passwd\0"u8, out string text);
        uid = UidOf(text, user);
        return errno;
    }

    /// <summary>The uid that the text of a passwd file has for a user; null: none.</summary>
    public static uint? UidOf(string text, string user)
    {
        foreach (string line in text.Split('\n'))
        {
            string[] fields = line.Split(':');
            if (fields.Length > 2 && fields[0] == user && Digits.TryParse(fields[2], uint.MaxValue - 1, out ulong uid))
            {
                return (uint)uid;
            }
        }

        return null;
    }
}
