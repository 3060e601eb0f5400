using TcpCloser.Diag;

namespace TcpCloser.Report;

/// <summary>What was told in the round before: a service that fails alike in each round says so once, until it fails otherwise.</summary>
/// <param name="isOn">Whether anything counts as repeated.</param>
internal sealed class Repeats(bool isOn)
{
    private HashSet<string> _texts = [];
    private HashSet<string> _textsBefore = [];
    private HashSet<(ulong Cookie, Outcome Outcome)> _connections = [];
    private HashSet<(ulong Cookie, Outcome Outcome)> _connectionsBefore = [];

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

    public bool IsRepeated(ulong cookie, Outcome outcome) =>
        isOn && _connections.Add((cookie, outcome)) && Counted(_connectionsBefore.Contains((cookie, outcome)));

    private bool Counted(bool isRepeated)
    {
        Count += isRepeated ? 1 : 0;
        return isRepeated;
    }
}
