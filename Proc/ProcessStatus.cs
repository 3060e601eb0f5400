using System.Buffers.Text;

namespace TcpCloser.Proc;

/// <summary>What is read of /proc/PID/status (proc_pid_status(5)).</summary>
internal readonly struct ProcessStatus
{
    /// <summary>The effective user id; null: the file does not tell.</summary>
    public uint? EffectiveUid { get; private init; }

    /// <summary>Its id in each pid namespace, from that of /proc to its own; empty before Linux 4.1.</summary>
    public int[] NamespacePids { get; private init; }

    /// <summary>Whether it is the first of its pid namespace, whose end would end all others there.</summary>
    public bool IsFirstOfItsNamespace => NamespacePids.Length > 0 && NamespacePids[^1] == 1;

    /// <summary>Whether a seccomp(2) filter is in force: it may end the process for a system call, without a word.</summary>
    public bool IsFiltered { get; private init; }

    public static ProcessStatus Parse(ReadOnlySpan<byte> text)
    {
        ReadOnlySpan<byte> uids = Field(text, "\nUid:"u8);
        _ = TakeNumber(ref uids, out _);
        uint? effective = TakeNumber(ref uids, out uint uid) ? uid : null;
        var pids = new List<int>();
        ReadOnlySpan<byte> ids = Field(text, "\nNSpid:"u8);
        while (TakeNumber(ref ids, out uint pid))
        {
            pids.Add((int)pid);
        }

        return new ProcessStatus
        {
            EffectiveUid = effective,
            NamespacePids = [.. pids],
            IsFiltered = Field(text, "\nSeccomp:"u8).Trim("\t "u8) is [(byte)'2'],
        };
    }

    /// <summary>The rest of the line that begins like that.</summary>
    private static ReadOnlySpan<byte> Field(ReadOnlySpan<byte> text, ReadOnlySpan<byte> name)
    {
        int at = text.IndexOf(name);
        if (at < 0)
        {
            return [];
        }

        ReadOnlySpan<byte> line = text[(at + name.Length)..];
        int end = line.IndexOf((byte)'\n');
        return end < 0 ? line : line[..end];
    }

    private static bool TakeNumber(ref ReadOnlySpan<byte> line, out uint number)
    {
        line = line.TrimStart("\t "u8);
        bool found = Utf8Parser.TryParse(line, out number, out int used);
        line = line[used..];
        return found;
    }
}
