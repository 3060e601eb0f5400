using TcpCloser.Cli;
using TcpCloser.Diag;
using TcpCloser.Kill;
using TcpCloser.Proc;

namespace TcpCloser.Report;

/// <summary>What <c>-n</c> prints to stdout: a row for each connection that would be closed.</summary>
/// <param name="stdout">Where it goes.</param>
/// <param name="namesNamespaces">Whether each row names its network namespace.</param>
/// <param name="action">What the method would do.</param>
internal sealed class DryRunTable(OutputStream stdout, bool namesNamespaces, string action) : IObserver
{
    private const int ColumnGap = 2;
    private const int FlushAt = 48 * 1024;

    private static readonly string[] s_titles = ["NETNS", "LOCAL", "PEER", "STATE", "IDLE", "UID", "INODE", "ACTION"];

    private readonly TextBuffer _cell = new();
    private readonly TextBuffer _out = new();
    private readonly int[] _widths = new int[s_titles.Length];

    /// <summary>Prints the table; nothing where no connection would be closed.</summary>
    public void WouldClose(ConnectionList candidates, KillForecast? forecast)
    {
        if (candidates.Count == 0)
        {
            return;
        }

        for (int column = FirstColumn; column < s_titles.Length; column++)
        {
            _widths[column] = s_titles[column].Length;
            for (int i = 0; i < candidates.Count && column < s_titles.Length - 1; i++)
            {
                _widths[column] = Math.Max(_widths[column], Cell(candidates, i, column).Length);
            }
        }

        for (int column = FirstColumn; column < s_titles.Length; column++)
        {
            int start = _out.Length;
            _out.Add(s_titles[column]);
            EndCell(start, column);
        }

        for (int i = 0; i < candidates.Count; i++)
        {
            for (int column = FirstColumn; column < s_titles.Length - 1; column++)
            {
                int start = _out.Length;
                _out.Add(Cell(candidates, i, column));
                EndCell(start, column);
            }

            _out.Add(action);
            if (forecast is not null)
            {
                _out.AddHolders(forecast, candidates, i);
            }

            _out.Add("\n"u8);
            if (_out.Length > FlushAt)
            {
                Flush();
            }
        }
    }

    public void Begin()
    {
    }

    public void Completed(ConnectionList connections, int index)
    {
    }

    public void Signalled(SocketHolder process, int signal)
    {
    }

    public void Message(Level level, string text)
    {
    }

    public void End(int status, Counts counts, TimeSpan time, bool isQuiet)
    {
    }

    public void Totals(Counts totals, long rounds, TimeSpan time)
    {
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

    private ReadOnlySpan<byte> Cell(ConnectionList candidates, int i, int column)
    {
        _cell.Clear();
        return (s_titles[column] switch
        {
            "LOCAL" => _cell.AddLocal(candidates, i),
            "PEER" => _cell.AddRemote(candidates, i),
            "STATE" => _cell.Add(StateList.Name(candidates[i].State)),
            "IDLE" => _cell.AddAge(candidates[i].IdleMs),
            "UID" => _cell.Add(candidates[i].Uid),
            "INODE" => _cell.Add(candidates[i].Inode),
            _ => candidates.NamespaceOf(i).Name is { } name ? _cell.AddUntrusted(name) : _cell.Add("-"u8),
        }).Written;
    }
}
