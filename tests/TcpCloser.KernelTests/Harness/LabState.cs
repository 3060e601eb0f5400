using System.Globalization;

namespace TcpCloser.KernelTests.Harness;

/// <summary>The counts in the output of the Lab's <c>state</c>: <c>state["server", "alive"]</c>.</summary>
internal sealed class LabState
{
    private readonly Dictionary<(string Role, string View), int> _counts = [];

    internal LabState(IEnumerable<string> lines)
    {
        foreach (string line in lines)
        {
            string[] words = line.Split(' ');
            foreach (string[] pair in words.Skip(1).Select(word => word.Split('=')))
            {
                _counts[(words[0], pair[0])] = int.Parse(pair[1], CultureInfo.InvariantCulture);
            }
        }
    }

    /// <summary>Roles: server, client, decoy (both ends), listener, processes.</summary>
    internal int this[string role, string view] => _counts[(role, view)];
}
