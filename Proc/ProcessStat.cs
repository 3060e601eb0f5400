using System.Buffers.Text;

namespace TcpCloser.Proc;

/// <summary>What is read of /proc/PID/stat (proc_pid_stat(5)).</summary>
internal readonly struct ProcessStat
{
    /// <summary>PF_KTHREAD (linux/sched.h), a bit of the flags.</summary>
    private const ulong KernelThread = 0x00200000;

    /// <summary>The id of its parent; 0: it has none in this pid namespace.</summary>
    public int Parent { get; private init; }

    /// <summary>The device number of its controlling terminal; 0: it has none.</summary>
    public int Terminal { get; private init; }

    public bool IsKernelThread { get; private init; }

    /// <summary>Reads the text; false where it is none.</summary>
    public static bool TryParse(ReadOnlySpan<byte> text, out ProcessStat stat)
    {
        // The name before the last bracket may hold anything, brackets too. Then: state, ppid, pgrp, session, tty_nr, tpgid, flags.
        ReadOnlySpan<byte> fields = text[(text.LastIndexOf((byte)')') + 1)..];
        stat = default;
        if (!TryField(fields, 2, out long parent) || !TryField(fields, 5, out long terminal) || !TryField(fields, 7, out long flags))
        {
            return false;
        }

        stat = new ProcessStat { Parent = (int)parent, Terminal = (int)terminal, IsKernelThread = ((ulong)flags & KernelThread) != 0 };
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
