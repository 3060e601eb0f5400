using TcpCloser.Diag;
using TcpCloser.Kill;
using TcpCloser.Proc;
using TcpCloser.Rules;

namespace TcpCloser.Report;

/// <summary>
/// The table that <c>-n</c> prints to stdout: a row for each idle connection, the longest idle first, including those that <c>--keep</c>
/// and <c>--limit</c> leave open.
/// </summary>
/// <param name="namesNamespaces">Whether there is a column with the network namespace.</param>
/// <param name="method">The rule's method.</param>
internal sealed class DryRunTable(OutputStream stdout, bool namesNamespaces, Method method) : IObserver
{
    private const int ColumnGap = 2;
    private const int FlushAt = 48 * 1024;

    /// <summary>The title of each column, and what adds a connection's cell to it.</summary>
    private static readonly (string Title, Func<DryRunTable, ConnectionList, int, TextBuffer> Add)[] s_columns =
    [
        ("NETNS", static (table, list, i) => table._round is not null && list.NamespaceOf(i).Label(table._round.Cgroups) is { } name ? table._cell.AddUntrusted(name) : table._cell.Add("-"u8)),
        ("LOCAL", static (table, list, i) => table._cell.AddLocal(list, i)),
        ("PEER", static (table, list, i) => table._cell.AddRemote(list, i)),
        ("STATE", static (table, list, i) => table._cell.Add(StateSet.Name(list[i].State))),
        ("RECV", static (table, list, i) => table._cell.AddTime(list.Details[i].LastRecvMs)),
        ("SENT", static (table, list, i) => table._cell.AddTime(list.Details[i].LastSendMs)),
        ("OWNER", static (table, list, i) => table._cell.AddHolderCell(table._round?.Holders, in list[i], table._round?.NameOfCgroup(list, i) ?? CgroupName.Unknown)),
        ("ACTION", static (table, list, i) => table.AddAction(list, i)),
    ];

    private readonly TextBuffer _cell = new();
    private readonly TextBuffer _out = new();
    private readonly int[] _widths = new int[s_columns.Length];
    private RoundContext? _round;

    public void Begin(RoundContext round) => _round = round;

    /// <summary>Prints the table; nothing if no connection is idle.</summary>
    public void WouldClose(ConnectionList candidates, ICloseMethod method)
    {
        (ConnectionList List, int Index)[] rows = LongestIdleFirst(candidates);
        if (rows.Length == 0)
        {
            return;
        }

        for (int column = FirstColumn; column < s_columns.Length; column++)
        {
            _widths[column] = s_columns[column].Title.Length;
            for (int i = 0; i < rows.Length && column < s_columns.Length - 1; i++)
            {
                _widths[column] = Math.Max(_widths[column], Cell(rows[i].List, rows[i].Index, column).Length);
            }
        }

        for (int column = FirstColumn; column < s_columns.Length; column++)
        {
            int start = _out.Length;
            _out.Add(s_columns[column].Title);
            EndCell(start, column);
        }

        foreach ((ConnectionList list, int i) in rows)
        {
            for (int column = FirstColumn; column < s_columns.Length; column++)
            {
                int start = _out.Length;
                _out.Add(Cell(list, i, column));
                EndCell(start, column);
            }

            if (_out.Length > FlushAt)
            {
                Flush();
            }
        }
    }

    public void Flush()
    {
        if (stdout.Errno == 0)
        {
            _ = stdout.Write(_out.Written);
        }

        _out.Clear();
    }

    private int FirstColumn => namesNamespaces ? 0 : 1;

    /// <summary>
    /// The rows. Connections of the same age stay in the order of the dump; those without a clock come last, and those that would be
    /// closed before those that stay open.
    /// </summary>
    private (ConnectionList List, int Index)[] LongestIdleFirst(ConnectionList candidates)
    {
        var rows = new List<(ConnectionList List, int Index)>(candidates.Count);
        for (int i = 0; i < candidates.Count; i++)
        {
            rows.Add((candidates, i));
        }

        for (int i = 0; i < _round!.LeftAlone.Count; i++)
        {
            if (_round.LeftAlone[i].Outcome is Outcome.Kept or Outcome.OverLimit)
            {
                rows.Add((_round.LeftAlone, i));
            }
        }

        var keys = new ulong[rows.Count];
        for (int i = 0; i < keys.Length; i++)
        {
            (ConnectionList list, int index) = rows[i];
            keys[i] = IdleOrder.LongestFirstKey(in list[index], i);
        }

        (ConnectionList List, int Index)[] sorted = [.. rows];
        Array.Sort(keys, sorted);
        return sorted;
    }

    private void EndCell(int start, int column)
    {
        if (column < s_columns.Length - 1)
        {
            _out.PadTo(start, _widths[column] + ColumnGap);
        }
        else
        {
            _out.Add("\n"u8);
        }
    }

    private ReadOnlySpan<byte> Cell(ConnectionList candidates, int i, int column)
    {
        _cell.Clear();
        return s_columns[column].Add(this, candidates, i).Written;
    }

    private TextBuffer AddAction(ConnectionList candidates, int i)
    {
        if (candidates[i].Outcome is Outcome.Kept or Outcome.OverLimit)
        {
            return _cell.Add(candidates[i].Outcome == Outcome.Kept ? "kept"u8 : "over limit"u8);
        }

        int? others = null;
        int? familyParent = null;
        string? protection = null;
        SocketHolder[] holders = _round?.Holders.Of(candidates[i].Inode) ?? [];
        foreach (SocketHolder holder in holders)
        {
            others = holder.OtherConnections is { } more ? (others ?? 0) + more : others;
            familyParent ??= holder.FamilyParent;
            protection ??= holder.Protection;
        }

        OutcomeInfo info = OutcomeInfo.Of(candidates[i].Outcome);
        if (info.Counted == Counted.Failed)
        {
            _cell.Add("not possible: "u8);
            return candidates[i].Outcome == Outcome.OwnerProtected && protection is not null
                ? _cell.Add("held by "u8).Add(protection).Add(", which is never signalled"u8)
                : _cell.Add(info.ReasonFor(in candidates[i]) ?? "");
        }

        Method by = candidates[i].By == Method.Auto ? method : candidates[i].By;
        _cell.Add(MethodName.Of(by));
        if (by is Method.Disconnect or Method.Keepalive or Method.Kill && holders.Length == 0)
        {
            return _cell.Add(" ?"u8);
        }

        if (others is { } count)
        {
            _cell.Add(" ("u8).Add((ulong)count).Add(count == 1 ? " other connection"u8 : " other connections"u8);
            _ = familyParent is { } parent ? _cell.Add("; a SIGKILL may end the family of process "u8).Add((ulong)parent) : _cell;
            _cell.Add(")"u8);
        }

        return _cell;
    }
}
