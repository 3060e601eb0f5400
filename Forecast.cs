using TcpCloser.Cli;
using TcpCloser.Diag;
using TcpCloser.Interop;
using TcpCloser.Kill;
using TcpCloser.Proc;
using TcpCloser.Report;

namespace TcpCloser;

/// <summary>What is known of the candidates before anything is done to them: whose they are, and what would become of them.</summary>
/// <param name="method">What would close them.</param>
/// <param name="dump">Lists sockets.</param>
/// <param name="openProcesses">Opens the table of processes.</param>
/// <param name="message">Is told what a reader may want to know.</param>
internal sealed class Forecast(ICloseMethod method, SocketDump dump, Func<IProcessTable> openProcesses, Action<Level, string> message)
{
    /// <summary>Looks up what is needed to count the candidates by a key.</summary>
    /// <exception cref="SystemCallException">The listeners could not be listed.</exception>
    public void PrepareGroups(ConnectionList candidates, GroupKey key)
    {
        candidates.ListeningPorts = key == GroupKey.Port ? new ListeningPorts(dump, candidates) : null;
        candidates.Owners = key == GroupKey.Process ? FindOwners(candidates) : null;
    }

    /// <summary>Gives those that the method cannot close the outcome that says why.</summary>
    /// <exception cref="SystemCallException">The owners that the method works through cannot be found, so nothing can be closed here.</exception>
    public void FindObstacles(ConnectionList candidates)
    {
        // Those that were found for the reader lack what else the processes hold, those found to ask the peers may lack some holders.
        bool isKnown = candidates.Owners is { IsWhole: true } && !method.EndsProcesses;
        candidates.Owners = isKnown ? candidates.Owners : method.NeedsOwners ? MethodsOwners(candidates) : FindOwners(candidates);
        if (candidates.Owners is { } owners)
        {
            for (int i = 0; i < candidates.Count; i++)
            {
                candidates[i].Outcome = method.Obstacle(in candidates[i], owners) ?? Outcome.Idle;
            }
        }
    }

    /// <summary>How many connections the processes would lose that the method ends, besides the candidates.</summary>
    /// <exception cref="SystemCallException">They cannot be found.</exception>
    public int OthersLost(ConnectionList candidates)
    {
        if (!method.EndsProcesses || candidates.Count == 0)
        {
            return 0;
        }

        candidates.Owners = MethodsOwners(candidates);
        return OwnerForecast.OthersLost(method, candidates, candidates.Owners);
    }

    /// <summary>The owners for the reader alone: where they cannot be found, nothing fails, and the users stand there.</summary>
    public SocketOwners? FindOwners(params ReadOnlySpan<ConnectionList> lists)
    {
        try
        {
            using IProcessTable table = openProcesses();
            return OwnerForecast.Find(table, lists);
        }
        catch (SystemCallException e)
        {
            message(Level.Debug, Remedies.Describe(e));
            return null;
        }
    }

    private SocketOwners MethodsOwners(ConnectionList candidates)
    {
        using IProcessTable table = openProcesses();
        return method.EndsProcesses ? OwnerForecast.FindAndCount(table, dump, candidates) : OwnerForecast.Find(table, candidates);
    }
}
