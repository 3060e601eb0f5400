using TcpCloser.Cli;
using TcpCloser.Diag;
using TcpCloser.Interop;

namespace TcpCloser.Report;

/// <summary>What <c>-n</c> prints to stdout: a row for each connection that would be closed.</summary>
internal sealed class DryRunTable
{
    private const int ColumnGap = 2;
    private const int FlushAt = 48 * 1024;

    private static readonly string[] Titles = ["LOCAL", "PEER", "STATE", "IDLE", "UID", "INODE", "ACTION"];

    private readonly TextBuffer _cell = new();
    private readonly TextBuffer _out = new();
    private readonly int[] _widths = new int[Titles.Length];

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

        for (int column = 0; column < Titles.Length; column++)
        {
            _widths[column] = Titles[column].Length;
            for (int i = 0; i < doomed.Count && column < Titles.Length - 1; i++)
            {
                _widths[column] = Math.Max(_widths[column], Cell(in doomed[i], column).Length);
            }
        }

        for (int column = 0; column < Titles.Length; column++)
        {
            int start = _out.Length;
            _out.Add(Titles[column]);
            EndCell(start, column);
        }

        for (int i = 0; i < doomed.Count; i++)
        {
            for (int column = 0; column < Titles.Length - 1; column++)
            {
                int start = _out.Length;
                _out.Add(Cell(in doomed[i], column));
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

    private int Flush()
    {
        int errno = StandardStreams.Write(Unistd.STDOUT_FILENO, _out.Written);
        _out.Clear();
        return errno;
    }

    private void EndCell(int start, int column)
    {
        if (column < Titles.Length - 1)
        {
            _out.PadTo(start, _widths[column] + ColumnGap);
        }
        else
        {
            _out.Add("\n"u8);
        }
    }

    private ReadOnlySpan<byte> Cell(ref readonly Connection connection, int column)
    {
        _cell.Clear();
        return (column switch
        {
            0 => _cell.AddLocal(in connection),
            1 => _cell.AddRemote(in connection),
            2 => _cell.Add(StateList.Name(connection.State)),
            3 => _cell.AddAge(connection.IdleMs),
            4 => _cell.Add(connection.Uid),
            _ => _cell.Add(connection.Inode),
        }).Written;
    }
}
