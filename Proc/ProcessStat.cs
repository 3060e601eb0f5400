using System.Buffers.Text;

namespace TcpCloser.Proc;

/// <summary>The fields of /proc/PID/stat (proc_pid_stat(5)) that are used here.</summary>
internal readonly struct ProcessStat
{
    /// <summary>PF_KTHREAD (linux/sched.h).</summary>
    private const ulong KernelThread = 0x00200000;

    /// <summary>The id of the parent; 0: the process has none in this pid namespace.</summary>
    public int Parent { get; private init; }

    /// <summary>The device number of the controlling terminal; 0: there is none.</summary>
    public int Terminal { get; private init; }

    public bool IsKernelThread { get; private init; }

    /// <summary>Whether the first thread has ended (state Z): the whole process has, or other threads continue.</summary>
    public bool IsZombie { get; private init; }

    /// <summary>Parses the text of the file; false: it is not valid.</summary>
    public static bool TryParse(ReadOnlySpan<byte> text, out ProcessStat stat)
    {
        // The name before the last parenthesis may contain anything, even parentheses. Then: state, ppid, pgrp, session, tty_nr, tpgid, flags.
        ReadOnlySpan<byte> fields = text[(text.LastIndexOf((byte)')') + 1)..];
        stat = default;
        if (!TryField(fields, 2, out long parent) || !TryField(fields, 5, out long terminal) || !TryField(fields, 7, out long flags))
        {
            return false;
        }

        stat = new ProcessStat
        {
            Parent = (int)parent,
            Terminal = (int)terminal,
            IsKernelThread = ((ulong)flags & KernelThread) != 0,
            IsZombie = fields.StartsWith(" Z "u8),
        };
        return true;
    }

    private static bool TryField(ReadOnlySpan<byte> fields, int index, out long value)
    {
        for (int i = 0; i < index; i++)
        {
            int space = fields.IndexOf((byte)' ');
            fields = space < 0 ? [] : fields[(space + 1)..];
        }

        return Utf8Parser.TryParse(fields, out value, out _);
    }
}

/// <summary>The fields of /proc/PID/status (proc_pid_status(5)) that are used here.</summary>
internal readonly struct ProcessStatus
{
    /// <summary>The effective user id; null: the file does not contain it.</summary>
    public uint? EffectiveUid { get; private init; }

    /// <summary>The id of the process in each pid namespace, from that of /proc to its own; empty before Linux 4.1.</summary>
    public int[] NamespacePids { get; private init; }

    /// <summary>Whether the process is process 1 of its pid namespace, whose end would end all others there.</summary>
    public bool IsInitOfItsNamespace => NamespacePids.Length > 0 && NamespacePids[^1] == 1;

    /// <summary>Whether a seccomp(2) filter is active, which may kill the process for a system call without notice.</summary>
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

    /// <summary>The rest of the line that begins with the name; empty: there is no such line.</summary>
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
