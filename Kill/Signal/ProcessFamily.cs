using TcpCloser.Proc;

namespace TcpCloser.Kill;

/// <summary>
/// Finds processes that may share memory: a parent and its children that run the same program. If SIGKILL ends one of PostgreSQL's
/// processes, the parent ends all the others, because shared memory may be left half written.
/// </summary>
internal static class ProcessFamily
{
    /// <summary>PATH_MAX: /proc does not show longer paths.</summary>
    private const int LongestPath = 4096;

    /// <summary>Sets <see cref="SocketHolder.FamilyParent"/>.</summary>
    /// <param name="hasGrace">Whether SIGKILL follows another signal, so that a different signal would not help.</param>
    /// <returns>A warning; null: no holder belongs to a family.</returns>
    public static string? Find(IProcessTable table, IEnumerable<SocketHolder> holders, bool hasGrace)
    {
        int first = 0;
        int count = 0;
        foreach (SocketHolder holder in holders)
        {
            holder.FamilyParent = ParentOfSameProgram(table, holder.Pid);
            if (holder.FamilyParent is not null && count++ == 0)
            {
                first = holder.Pid;
            }
        }

        string milder = hasGrace ? "SIGTERM alone, without --grace," : "--signal TERM";
        return count switch
        {
            0 => null,
            1 => $"process {first} runs the same program as its parent: a SIGKILL may end the whole family of processes, as it does with PostgreSQL; {milder} ends only this one",
            _ => $"process {first} and {count - 1} other{(count == 2 ? "" : "s")} run the same program as their parents: a SIGKILL may end the whole family of processes, as it does with PostgreSQL; {milder} ends only these",
        };
    }

    private static int? ParentOfSameProgram(IProcessTable table, int pid)
    {
        if (table.ReadFile(pid, "stat"u8, out byte[] content) != 0 || !ProcessStat.TryParse(content, out ProcessStat stat) || stat.Parent == 0)
        {
            return null;
        }

        Span<byte> program = stackalloc byte[LongestPath];
        Span<byte> parents = stackalloc byte[LongestPath];
        int parentsLength = 0;
        int errno = table.ReadExecutable(pid, program, out int length);
        errno = errno != 0 ? errno : table.ReadExecutable(stat.Parent, parents, out parentsLength);
        return errno == 0 && length > 0 && program[..length].SequenceEqual(parents[..parentsLength]) ? stat.Parent : null;
    }
}
