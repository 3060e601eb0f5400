namespace TcpCloser.KernelTests.Harness;

/// <summary>One connection as the Lab's <c>list</c> shows it; addresses as <c>127.0.0.1:22</c> or <c>[::1]:22</c>.</summary>
internal sealed record LabConnection(int Index, string ServerAddress, string ClientAddress, LabEnd Server, LabEnd Client)
{
    /// <summary>Reads a line of <c>list</c>.</summary>
    internal static LabConnection Parse(string line)
    {
        string[] words = line.Split(' ');
        Dictionary<string, string> values = words.Skip(1).Select(word => word.Split('=', 2)).ToDictionary(pair => pair[0], pair => pair[1]);
        return new LabConnection(
            int.Parse(words[0], System.Globalization.CultureInfo.InvariantCulture),
            values["server"],
            values["client"],
            End("server"),
            End("client"));

        LabEnd End(string role) => new(
            values[role + "-end"],
            values.GetValueOrDefault(role + "-tcp", ""),
            values.GetValueOrDefault(role + "-saw", ""),
            values.GetValueOrDefault(role + "-blocked", ""));
    }
}
