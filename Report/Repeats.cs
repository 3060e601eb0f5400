using TcpCloser.Diag;

namespace TcpCloser.Report;

/// <summary>What was told in the round before: a service that fails alike in each round says so once, until it fails otherwise.</summary>
/// <param name="isOn">Whether anything counts as repeated.</param>
internal sealed class Repeats(bool isOn)
{
    private HashSet<string> _texts = [];
    private HashSet<string> _textsBefore = [];
    private HashSet<ulong> _connections = [];
    private HashSet<ulong> _connectionsBefore = [];

    /// <summary>How many times something was repeated.</summary>
    public long Count { get; private set; }

    public void BeginRound()
    {
        (_texts, _textsBefore) = (_textsBefore, _texts);
        (_connections, _connectionsBefore) = (_connectionsBefore, _connections);
        _texts.Clear();
        _connections.Clear();
    }

    public bool IsRepeated(string text) => isOn && _texts.Add(text) && Counted(_textsBefore.Contains(text));

    public bool IsRepeated(ulong cookie, Outcome outcome)
    {
        // The kernel counts its cookies up from 1, and no machine has come to the last byte.
        ulong key = cookie ^ (ulong)outcome << 56;
        return isOn && _connections.Add(key) && Counted(_connectionsBefore.Contains(key));
    }

    private bool Counted(bool isRepeated)
    {
        Count += isRepeated ? 1 : 0;
        return isRepeated;
    }
}
