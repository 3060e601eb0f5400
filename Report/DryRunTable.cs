using TcpCloser.Cli;
using TcpCloser.Diag;
using TcpCloser.Kill;
using TcpCloser.Proc;

namespace TcpCloser.Report;

/// <summary>What <c>-n</c> prints to stdout: a row for each connection that is idle, the longest idle first.</summary>
/// <param name="stdout">Where it goes.</param>
/// <param name="namesNamespaces">Whether each row names its network namespace.</param>
/// <param name="action">What the method would do.</param>
internal sealed class DryRunTable(OutputStream stdout, bool namesNamespaces, string action) : IObserver
{
    private const int ColumnGap = 2;
    private const int FlushAt = 48 * 1024;

    /// <summary>What stands above each column, and what adds a connection's cell.</summary>
    private static readonly (string Title, Func<DryRunTable, ConnectionList, int, TextBuffer> Add)[] s_columns =
    [
        ("NETNS", static (table, list, i) => list.NamespaceOf(i).Name is { } name ? table._cell.AddUntrusted(name) : table._cell.Add("-"u8)),
        ("LOCAL", static (table, list, i) => table._cell.AddLocal(list, i)),
        ("PEER", static (table, list, i) => table._cell.AddRemote(list, i)),
        ("STATE", static (table, list, i) => table._cell.Add(StateList.Name(list[i].State))),
        ("RECV", static (table, list, i) => table._cell.AddTime(list.Details[i].LastRecvMs)),
        ("SENT", static (table, list, i) => table._cell.AddTime(list.Details[i].LastSendMs)),
        ("OWNER", static (table, list, i) => table._cell.AddOwnerCell(list, i)),
        ("ACTION", static (table, list, i) => table.AddAction(list, i)),
    ];

    private readonly TextBuffer _cell = new();
    private readonly TextBuffer _out = new();
    private readonly int[] _widths = new int[s_columns.Length];
    private bool _needsOwners;

    /// <summary>Prints the table; nothing where no connection is idle.</summary>
    public void WouldClose(ConnectionList candidates, ICloseMethod method)
    {
        _needsOwners = method.NeedsOwners;
        if (candidates.Count == 0)
        {
            return;
        }

        for (int column = FirstColumn; column < s_columns.Length; column++)
        {
            _widths[column] = s_columns[column].Title.Length;
            for (int i = 0; i < candidates.Count && column < s_columns.Length - 1; i++)
            {
                _widths[column] = Math.Max(_widths[column], Cell(candidates, i, column).Length);
            }
        }

        for (int column = FirstColumn; column < s_columns.Length; column++)
        {
            int start = _out.Length;
            _out.Add(s_columns[column].Title);
            EndCell(start, column);
        }

        foreach (ulong key in LongestIdleFirst(candidates))
        {
            int i = (int)(uint)key;
            for (int column = FirstColumn; column < s_columns.Length; column++)
            {
                int start = _out.Length;
                _out.Add(Cell(candidates, i, column));
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
    /// The places of the connections, in the lower 32 bits, by their age in the upper ones; those of one age as they were listed, and those
    /// without a clock last.
    /// </summary>
    private static ulong[] LongestIdleFirst(ConnectionList candidates)
    {
        var keys = new ulong[candidates.Count];
        for (int i = 0; i < candidates.Count; i++)
        {
            uint age = candidates[i].IdleMs;
            keys[i] = (ulong)(age == Connection.UnknownAge ? uint.MaxValue : uint.MaxValue - 1 - age) << 32 | (uint)i;
        }

        Array.Sort(keys);
        return keys;
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
        int? others = null;
        string? protection = null;
        SocketHolder[] owners = candidates.Owners?.Of(candidates[i].Inode) ?? [];
        foreach (SocketHolder owner in owners)
        {
            others = owner.OtherConnections is { } more ? (others ?? 0) + more : others;
            protection ??= owner.Protection;
        }

        OutcomeInfo info = OutcomeInfo.Of(candidates[i].Outcome);
        if (info.Counted == Counted.Failed)
        {
            _cell.Add("none: "u8);
            return candidates[i].Outcome == Outcome.OwnerProtected && protection is not null
                ? _cell.Add("never signalled, "u8).Add(protection)
                : _cell.Add(info.ReasonFor(in candidates[i]) ?? "");
        }

        _cell.Add(action);
        return _needsOwners && owners.Length == 0 ? _cell.Add(" ?"u8)
            : others is { } count ? _cell.Add(" ("u8).Add((ulong)count).Add(" other connections)"u8)
            : _cell;
    }
}
