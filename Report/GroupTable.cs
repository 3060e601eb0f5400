using System.Text;
using TcpCloser.Cli;
using TcpCloser.Diag;
using TcpCloser.Kill;

namespace TcpCloser.Report;

/// <summary>What <c>--group-by</c> prints to stdout: a row for each group, those with the longest idle first.</summary>
/// <param name="stdout">Where it goes.</param>
/// <param name="by">By what connections are counted.</param>
/// <param name="records">Where records go in place of rows; null: nowhere.</param>
internal sealed class GroupTable(OutputStream stdout, GroupKey by, JsonRecords? records) : IObserver
{
    private const int ColumnGap = 2;
    private const int BarWidth = 20;
    private const int FlushAt = 48 * 1024;

    /// <summary>The first of the spans of age that the bar shows as idle.</summary>
    private const int IdleSpan = 2;

    private static readonly string[] s_titles = ["TOTAL", "<1m", "1m", "10m", "1h", "1d", "OLDEST"];

    private readonly TextBuffer _cell = new();
    private readonly TextBuffer _out = new();

    /// <summary>Prints the groups; nothing where there are no connections.</summary>
    public void WouldClose(ConnectionList candidates, ICloseMethod method)
    {
        List<Group> groups = new Groups(by).Count(candidates);
        if (records is not null)
        {
            foreach (Group group in groups)
            {
                records.Group(by, group);
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
        string title = WordOf(by).ToUpperInvariant();
        int keyWidth = title.Length;
        var widths = new int[s_titles.Length];
        long most = 0;
        foreach (Group group in groups)
        {
            _cell.Clear();
            keyWidth = Math.Max(keyWidth, _cell.AddUntrusted(group.Key).Length);
            most = Math.Max(most, group.Total);
        }

        for (int column = 0; column < widths.Length; column++)
        {
            widths[column] = s_titles[column].Length;
            foreach (Group group in groups)
            {
                widths[column] = Math.Max(widths[column], Cell(group, column).Length);
            }
        }

        int head = _out.Length;
        _out.Add(title).PadTo(head, keyWidth);
        for (int column = 0; column < widths.Length; column++)
        {
            AddRight(Encoding.UTF8.GetBytes(s_titles[column]), widths[column]);
        }

        _out.Add("  #: 10m and more\n"u8);
        foreach (Group group in groups)
        {
            int start = _out.Length;
            _out.AddUntrusted(group.Key).PadTo(start, keyWidth);
            for (int column = 0; column < widths.Length; column++)
            {
                AddRight(Cell(group, column), widths[column]);
            }

            AddBar(group, most);
            if (_out.Length > FlushAt)
            {
                Flush();
            }
        }
    }

    /// <summary>Adds a cell that ends where its column does.</summary>
    private void AddRight(ReadOnlySpan<byte> cell, int width)
    {
        int start = _out.Length;
        _out.PadTo(start, width + ColumnGap - cell.Length).Add(cell);
    }

    private ReadOnlySpan<byte> Cell(Group group, int column)
    {
        _cell.Clear();
        return (column == 0 ? _cell.Add((ulong)group.Total)
            : column == s_titles.Length - 1 ? _cell.AddTime(group.Oldest)
            : _cell.Add((ulong)group.Counts[column - 1])).Written;
    }

    /// <summary>As long as the group is large beside the largest one. The part that is idle is solid.</summary>
    private void AddBar(Group group, long most)
    {
        long idle = 0;
        foreach (long count in group.Counts[IdleSpan..])
        {
            idle += count;
        }

        int length = Length(group.Total, most);
        int solid = Length(idle, most);
        _out.Add("  "u8);
        for (int i = 0; i < length; i++)
        {
            _out.Add(i < solid ? "#"u8 : "."u8);
        }

        _out.Add("\n"u8);
    }

    /// <summary>Rounded up: what is there is seen.</summary>
    private static int Length(long count, long most) => (int)((count * BarWidth + most - 1) / most);

    /// <summary>The word that people type.</summary>
    public static string WordOf(GroupKey key) => key switch
    {
        GroupKey.Port => "port",
        GroupKey.Peer => "peer",
        GroupKey.Process => "process",
        GroupKey.Uid => "uid",
        GroupKey.State => "state",
        GroupKey.Netns => "netns",
    };
}
