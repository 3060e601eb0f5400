using TcpCloser.Cli;
using TcpCloser.Diag;
using TcpCloser.Interop;

namespace TcpCloser.Report;

/// <summary>What <c>-n</c> prints to stdout: a row for each connection that would be closed.</summary>
/// <param name="namesNamespaces">Whether each row names its network namespace.</param>
internal sealed class DryRunTable(bool namesNamespaces)
{
    private const int ColumnGap = 2;
    private const int FlushAt = 48 * 1024;

    private static readonly string[] s_titles = ["NETNS", "LOCAL", "PEER", "STATE", "IDLE", "UID", "INODE", "ACTION"];

    private readonly TextBuffer _cell = new();
    private readonly TextBuffer _out = new();
    private readonly int[] _widths = new int[s_titles.Length];

    /// <summary>Prints the table; nothing where no connection would be closed.</summary>
    /// <param name="doomed">The connections.</param>
    /// <param name="action">The last cell of a row, by the connection's index.</param>
    /// <returns>0 or the errno of write(2).</returns>
    public int Print(ConnectionList doomed, Action<TextBuffer, int> action)
    {
        if (doomed.Count == 0)
        {
            return 0;
        }

        for (int column = FirstColumn; column < s_titles.Length; column++)
        {
            _widths[column] = s_titles[column].Length;
            for (int i = 0; i < doomed.Count && column < s_titles.Length - 1; i++)
            {
                _widths[column] = Math.Max(_widths[column], Cell(doomed, i, column).Length);
            }
        }

        for (int column = FirstColumn; column < s_titles.Length; column++)
        {
            int start = _out.Length;
            _out.Add(s_titles[column]);
            EndCell(start, column);
        }

        for (int i = 0; i < doomed.Count; i++)
        {
            for (int column = FirstColumn; column < s_titles.Length - 1; column++)
            {
                int start = _out.Length;
                _out.Add(Cell(doomed, i, column));
                EndCell(start, column);
            }

            action(_out, i);
            _out.Add("\n"u8);
            if (_out.Length > FlushAt && Flush() is var errno and not 0)
            {
                return errno;
            }
        }

        return Flush();
    }

    private int FirstColumn => namesNamespaces ? 0 : 1;

    private int Flush()
    {
        int errno = StandardStreams.Write(Unistd.STDOUT_FILENO, _out.Written);
        _out.Clear();
        return errno;
    }

    private void EndCell(int start, int column)
    {
        if (column < s_titles.Length - 1)
        {
            _out.PadTo(start, _widths[column] + ColumnGap);
        }
        else
        {
            _out.Add("\n"u8);
        }
    }

    private ReadOnlySpan<byte> Cell(ConnectionList doomed, int i, int column)
    {
        _cell.Clear();
        return (s_titles[column] switch
        {
            "LOCAL" => _cell.AddLocal(doomed, i),
            "PEER" => _cell.AddRemote(doomed, i),
            "STATE" => _cell.Add(StateList.Name(doomed[i].State)),
            "IDLE" => _cell.AddAge(doomed[i].IdleMs),
            "UID" => _cell.Add(doomed[i].Uid),
            "INODE" => _cell.Add(doomed[i].Inode),
            _ => doomed.NamespaceOf(i).Name is { } name ? _cell.AddForeign(name) : _cell.Add("-"u8),
        }).Written;
    }
}
