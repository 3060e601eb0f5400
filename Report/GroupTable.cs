using System.Text;
using TcpCloser.Diag;
using TcpCloser.Kill;
using TcpCloser.Rules;

namespace TcpCloser.Report;

/// <summary>The table that <c>--group-by</c> prints to stdout: a row for each group, those with the most idle connections first.</summary>
/// <param name="by">The key by which connections are grouped.</param>
/// <param name="countsVerdicts">Whether the peers were probed.</param>
/// <param name="records">Receives records in place of rows; null: rows are printed.</param>
internal sealed class GroupTable(OutputStream stdout, GroupKey by, bool countsVerdicts, JsonRecords? records) : IObserver
{
    private const int ColumnGap = 2;
    private const int BarWidth = 20;
    private const int FlushAt = 48 * 1024;

    /// <summary>The bar shows connections from this age span on as idle.</summary>
    private const int IdleSpan = 2;

    private static readonly Column[] s_ages =
    [
        new("TOTAL", static (group, cell) => cell.Add((ulong)group.Total)),
        new("<1m", static (group, cell) => cell.Add((ulong)group.Counts[0])),
        new("1m", static (group, cell) => cell.Add((ulong)group.Counts[1])),
        new("10m", static (group, cell) => cell.Add((ulong)group.Counts[2])),
        new("1h", static (group, cell) => cell.Add((ulong)group.Counts[3])),
        new("1d", static (group, cell) => cell.Add((ulong)group.Counts[4])),
        new("OLDEST", static (group, cell) => cell.AddTime(group.Oldest)),
    ];

    private static readonly Column[] s_verdicts =
    [
        new("TOTAL", static (group, cell) => cell.Add((ulong)group.Total)),
        new("ANSWERED", static (group, cell) => cell.Add((ulong)group.Answered)),
        new("SILENT", static (group, cell) => cell.Add((ulong)group.Silent)),
        new("UNPROVED", static (group, cell) => cell.Add((ulong)group.Unproved)),
        new("UNASKED", static (group, cell) => cell.Add((ulong)group.Unasked)),
        new("OLDEST", static (group, cell) => cell.AddTime(group.Oldest)),
    ];

    private readonly Column[] _columns = countsVerdicts ? s_verdicts : s_ages;

    private readonly TextBuffer _cell = new();
    private readonly TextBuffer _out = new();

    private RoundContext? _round;

    public void Begin(RoundContext round) => _round = round;

    /// <summary>Prints the groups; nothing if there are no connections.</summary>
    public void WouldClose(ConnectionList candidates, ICloseMethod method)
    {
        List<Group> groups = new Groups(by, countsVerdicts, _round!).Count(candidates);
        if (records is not null)
        {
            foreach (Group group in groups)
            {
                records.Group(by, group, countsVerdicts);
            }

            records.Flush();
        }
        else if (groups.Count > 0)
        {
            Print(groups);
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

    private void Print(List<Group> groups)
    {
        string title = GroupKeyName.Of(by).ToUpperInvariant();
        int keyWidth = title.Length;
        var widths = new int[_columns.Length];
        long largest = 0;
        foreach (Group group in groups)
        {
            _cell.Clear();
            keyWidth = Math.Max(keyWidth, _cell.AddUntrusted(group.Key).Length);
            largest = Math.Max(largest, group.Total);
        }

        for (int column = 0; column < widths.Length; column++)
        {
            widths[column] = _columns[column].Title.Length;
            foreach (Group group in groups)
            {
                widths[column] = Math.Max(widths[column], Cell(group, column).Length);
            }
        }

        int head = _out.Length;
        _out.Add(title).PadTo(head, keyWidth);
        for (int column = 0; column < widths.Length; column++)
        {
            AddRight(Encoding.UTF8.GetBytes(_columns[column].Title), widths[column]);
        }

        _out.Add(countsVerdicts ? "  #: silent\n"u8 : "  #: 10m and more\n"u8);
        foreach (Group group in groups)
        {
            int start = _out.Length;
            _out.AddUntrusted(group.Key).PadTo(start, keyWidth);
            for (int column = 0; column < widths.Length; column++)
            {
                AddRight(Cell(group, column), widths[column]);
            }

            AddBar(group, largest);
            if (_out.Length > FlushAt)
            {
                Flush();
            }
        }
    }

    /// <summary>Adds a right-aligned cell.</summary>
    private void AddRight(ReadOnlySpan<byte> cell, int width)
    {
        int start = _out.Length;
        _out.PadTo(start, width + ColumnGap - cell.Length).Add(cell);
    }

    private ReadOnlySpan<byte> Cell(Group group, int column)
    {
        _cell.Clear();
        return _columns[column].Add(group, _cell).Written;
    }

    /// <summary>Adds a bar whose length is the group's size relative to the largest group. The idle or silent part is solid.</summary>
    private void AddBar(Group group, long largest)
    {
        long idle = countsVerdicts ? group.Silent : 0;
        foreach (long count in countsVerdicts ? [] : group.Counts[IdleSpan..])
        {
            idle += count;
        }

        int length = Length(group.Total, largest);
        int solid = Length(idle, largest);
        _out.Add("  "u8);
        for (int i = 0; i < length; i++)
        {
            _out.Add(i < solid ? "#"u8 : "."u8);
        }

        _out.Add("\n"u8);
    }

    /// <summary>Rounded up, so that even one connection is visible.</summary>
    private static int Length(long count, long largest) => (int)((count * BarWidth + largest - 1) / largest);

    /// <summary>A column: its title, and what adds a group's cell to it.</summary>
    private sealed record Column(string Title, Func<Group, TextBuffer, TextBuffer> Add);
}
