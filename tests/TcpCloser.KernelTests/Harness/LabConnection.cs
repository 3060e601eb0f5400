using System.Globalization;

namespace TcpCloser.KernelTests.Harness;

/// <summary>A process in the output of the Lab's <c>processes</c>.</summary>
/// <param name="Pid">In the Lab's pid namespace.</param>
internal sealed record LabHolder(string Role, int Pid, bool IsAlive)
{
    internal static LabHolder Parse(string line)
    {
        Dictionary<string, string> values = LabConnection.Pairs(line);
        return new LabHolder(values["role"], int.Parse(values["pid"], CultureInfo.InvariantCulture), values["state"] == "alive");
    }
}

/// <summary>One connection in the output of the Lab's <c>list</c>; addresses as <c>127.0.0.1:22</c> or <c>[::1]:22</c>.</summary>
internal sealed record LabConnection(int Index, string ServerAddress, string ClientAddress, LabEnd Server, LabEnd Client)
{
    internal static LabConnection Parse(string line)
    {
        Dictionary<string, string> values = Pairs(line);
        return new LabConnection(
            int.Parse(line.AsSpan(0, line.IndexOf(' ')), CultureInfo.InvariantCulture),
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

    internal static Dictionary<string, string> Pairs(string line)
        => line.Split(' ').Select(static word => word.Split('=', 2)).Where(static pair => pair.Length == 2).ToDictionary(static pair => pair[0], static pair => pair[1]);
}

/// <summary>One end of a connection in the output of the Lab's <c>list</c>.</summary>
/// <param name="View">alive, eof, aborted, reset, notconn, pipe, closed, none (there is no such end), or gone (its process has ended).</param>
/// <param name="Tcp">The TCP state as ss spells it.</param>
/// <param name="Saw">Everything that its process observed, in order: <c>ECONNABORTED,eof,EPIPE</c>.</param>
/// <param name="Blocked">The result of a blocked call: <c>read:ECONNABORTED</c>.</param>
internal sealed record LabEnd(string View, string Tcp, string Saw, string Blocked);
