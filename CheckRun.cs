using System.Text;
using TcpCloser.Interop;
using TcpCloser.Kill;
using TcpCloser.Report;

namespace TcpCloser;

/// <summary><c>--check</c>: what this kernel and these privileges allow, a line each.</summary>
internal static class CheckRun
{
    /// <returns>The exit status: whether every owner's connections can be closed.</returns>
    public static int Run(JsonRecords? records)
    {
        Ability dump = AbilityProbe.Dump();
        Ability destroy = AbilityProbe.Destroy();
        Ability disconnect = AbilityProbe.Disconnect();
        Ability kill = AbilityProbe.Kill();

        bool closes = dump.Possible && (destroy.Possible || disconnect.Possible);
        var text = new StringBuilder();
        foreach (Ability ability in (IEnumerable<Ability>)[dump, destroy, disconnect, kill, .. AbilityProbe.Filters(), Conclusion(closes)])
        {
            records?.Ability(ability.Name, ability.Possible, ability.Why);
            text.Append(ability.Name.PadRight(18)).Append(ability.Possible ? "yes" : "no")
                .Append(ability.Why.Length > 0 ? "   " : "").Append(ability.Why).Append('\n');
        }

        if (records is not null)
        {
            records.Flush();
        }
        else if (StandardStreams.Write(Unistd.STDOUT_FILENO, Encoding.UTF8.GetBytes(text.ToString())) != 0)
        {
            return ExitStatus.Incomplete;
        }

        return closes ? ExitStatus.Done : ExitStatus.NotPossible;
    }

    private static Ability Conclusion(bool closes) => closes
        ? new Ability("close-all", true)
        : new Ability("close-all", false, "not every owner's connections can be closed here without killing");
}
