namespace TcpCloser.Tests.Support;

/// <summary>Counts the calls to a fake, and makes those fail that a test selects.</summary>
internal sealed class Faults
{
    private const int Endless = 100_000; // more calls than any test makes
    private readonly List<string> _calls = [];

    /// <summary>The calls so far, in order.</summary>
    public IReadOnlyList<string> Calls => _calls;

    /// <summary>Returns the errno of a call, given its name and its number, counted from 0; 0: it succeeds.</summary>
    public Func<string, int, int> Errno { get; set; } = static (_, _) => 0;

    /// <summary>Runs before each call, given its name and number: for changes on the machine in the meantime.</summary>
    public Action<string, int>? Before { get; set; }

    /// <summary>Makes every such call fail.</summary>
    public void Fail(string call, int errno) => Errno = (name, _) => name == call ? errno : 0;

    /// <summary>Makes one such call fail; the calls are counted from 0, beginning now.</summary>
    public void FailOnce(string call, int errno, int which = 0)
    {
        int calls = 0;
        Errno = (name, _) => name == call && calls++ == which ? errno : 0;
    }

    /// <summary>Does something once, right before a call of that name, at a time when the condition holds.</summary>
    public void BeforeFirst(string call, Action change, Func<bool>? when = null)
    {
        bool isDone = false;
        Before = (name, _) =>
        {
            if (name == call && !isDone && (when is null || when()))
            {
                isDone = true;
                change();
            }
        };
    }

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
