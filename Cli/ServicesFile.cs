using TcpCloser.Interop;

namespace TcpCloser.Cli;

/// <summary>/etc/services (services(5)): the names of ports, read directly like <see cref="PasswdFile"/>.</summary>
internal sealed class ServicesFile(string text, int errno)
{
    /// <summary>Why the file could not be read, in words; null: it was read.</summary>
    public string? Problem { get; } = errno == 0 ? null : $"reading /etc/services: {Errno.Describe(errno)}";

    public static ServicesFile Read()
    {
        int errno = SystemFile.Read("/etc/services\0"u8, out string text);
        return new ServicesFile(text, errno);
    }

    /// <summary>The TCP port of a service by its name or an alias; 0: there is none of that name.</summary>
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

    /// <summary>The same of one line: <c>name port/protocol alias…</c>.</summary>
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
