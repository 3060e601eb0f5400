namespace TcpCloser.Tests.Support;

/// <summary>Counts the calls to a fake, and makes those fail that a test selects.</summary>
internal sealed class Faults
{
    /// <summary>More calls than any test makes.</summary>
    private const int Endless = 100_000;

    private readonly List<string> _calls = [];

    /// <summary>The calls so far, in order.</summary>
    public IReadOnlyList<string> Calls => _calls;

    /// <summary>Returns the errno of a call, given its name and its number, counted from 0; 0: it succeeds.</summary>
    public Func<string, int, int> Errno { get; set; } = static (_, _) => 0;

    /// <summary>Runs before each call, given its name and number: for changes on the machine in the meantime.</summary>
    public Action<string, int>? Before { get; set; }

    /// <summary>Counts a call. Returns its errno, or 0.</summary>
    public int Next(string call)
    {
        int number = _calls.Count;
        if (number == Endless)
        {
            throw new InvalidOperationException($"{call} is called endlessly");
        }

        _calls.Add(call);
        Before?.Invoke(call, number);
        return Errno(call, number);
    }
}
