using TcpCloser.Interop;
using TcpCloser.Proc;

namespace TcpCloser.Cli;

/// <summary>/etc/passwd (passwd(5)), read directly: a static binary has no name service.</summary>
internal static class PasswdFile
{
    /// <summary>Looks up a user by name. Returns 0 or the errno of reading the file.</summary>
    /// <param name="uid">The user's number; null: no user has this name.</param>
    public static int Find(string user, out uint? uid)
    {
        int errno = ProcFile.ReadText("/etc/passwd\0"u8, out string text);
        uid = UidOf(text, user);
        return errno;
    }

    /// <summary>The name of a user; null: no user has this number, or the file cannot be read.</summary>
    public static string? NameOf(uint uid)
    {
        _ = ProcFile.ReadText("/etc/passwd\0"u8, out string text);
        return NameOf(text, uid);
    }

    /// <summary>The first user with the uid in the text of a passwd file; null: none.</summary>
    public static string? NameOf(string text, uint uid)
    {
        Span<Range> fields = stackalloc Range[4];
        foreach (Range line in text.AsSpan().Split('\n'))
        {
            ReadOnlySpan<char> user = text.AsSpan(line);
            if (user.Split(fields, ':') > 2 && Digits.TryParse(user[fields[2]], uint.MaxValue - 1, out ulong found) && found == uid)
            {
                return user[fields[0]].ToString();
            }
        }

        return null;
    }

    /// <summary>The uid of a user in the text of a passwd file; null: none.</summary>
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

/// <summary>/etc/services (services(5)), the names of ports: read directly, like <see cref="PasswdFile"/>.</summary>
internal sealed class ServicesFile(string text, int errno)
{
    /// <summary>Why the file could not be read; null: it was read.</summary>
    public string? Problem { get; } = errno == 0 ? null : $"reading /etc/services: {Errno.Describe(errno)}";

    public static ServicesFile Read()
    {
        int errno = ProcFile.ReadText("/etc/services\0"u8, out string text);
        return new ServicesFile(text, errno);
    }

    /// <summary>The TCP port of a service by its name or an alias; 0: no service has this name.</summary>
    public ushort PortOf(ReadOnlySpan<char> name)
    {
        foreach (ReadOnlySpan<char> line in text.AsSpan().EnumerateLines())
        {
            int comment = line.IndexOf('#');
            ushort port = PortOf(name, comment < 0 ? line : line[..comment]);
            if (port != 0)
            {
                return port;
            }
        }

        return 0;
    }

    /// <summary>The port of the service if one line, <c>name port/protocol alias…</c>, defines it; otherwise 0.</summary>
    private static ushort PortOf(ReadOnlySpan<char> name, ReadOnlySpan<char> line)
    {
        bool named = TakeField(ref line).SequenceEqual(name);
        ReadOnlySpan<char> port = TakeField(ref line);
        if (!port.EndsWith("/tcp") || !Digits.TryParse(port[..^4], ushort.MaxValue, out ulong number))
        {
            return 0;
        }

        while (!named && !line.IsEmpty)
        {
            named = TakeField(ref line).SequenceEqual(name);
        }

        return named ? (ushort)number : (ushort)0;
    }

    private static ReadOnlySpan<char> TakeField(ref ReadOnlySpan<char> line)
    {
        line = line.TrimStart(" \t");
        int end = line.IndexOfAny(' ', '\t');
        ReadOnlySpan<char> field = end < 0 ? line : line[..end];
        line = line[field.Length..].TrimStart(" \t");
        return field;
    }
}
