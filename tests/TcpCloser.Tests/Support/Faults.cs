namespace TcpCloser.Tests.Support;

/// <summary>Counts the calls to a fake, and fails those that a test wants to fail.</summary>
internal sealed class Faults
{
    /// <summary>No test calls as often as this.</summary>
    private const int Endless = 100_000;

    private readonly List<string> _calls = [];

    /// <summary>The calls so far, in their order.</summary>
    public IReadOnlyList<string> Calls => _calls;

    /// <summary>Given a call's name and its number, counted from 0: the errno that it fails with; 0: it does not.</summary>
    public Func<string, int, int> Errno { get; set; } = static (_, _) => 0;

    /// <summary>Is called before each call, with its number: what happens on the machine in the meantime.</summary>
    public Action<string, int>? Before { get; set; }

    /// <summary>Counts a call. Returns the errno that it fails with, or 0.</summary>
    public int Next(string call)
    {
        int number = _calls.Count;
        if (number == Endless)
        {
            throw new InvalidOperationException($"{call} is called for ever");
        }

        _calls.Add(call);
        Before?.Invoke(call, number);
        return Errno(call, number);
    }
}
