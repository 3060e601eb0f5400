using TcpCloser.Diag;
using TcpCloser.Kill;
using TcpCloser.Proc;
using TcpCloser.Rules;

namespace TcpCloser.Run;

/// <summary>Checks which of the features that a rule needs are possible here, before the first round of a service.</summary>
internal sealed class RuleCheck(Rule rule, Machine machine)
{
    /// <summary>
    /// Returns the features of the network namespace in which most is possible; the first round reports failures in the others. Empty if
    /// there is no namespace.
    /// </summary>
    public List<FeatureSupport> Run(IReadOnlyList<NetworkNamespace> namespaces)
    {
        List<FeatureSupport> best = [];
        foreach (NetworkNamespace network in namespaces)
        {
            List<FeatureSupport> features = Run(network);
            best = best.Count == 0 || CountMissing(features) < CountMissing(best) ? features : best;
            if (CountMissing(best) == 0)
            {
                break;
            }
        }

        return best;
    }

    private List<FeatureSupport> Run(NetworkNamespace network)
    {
        List<FeatureSupport> features = [CloseMethods.Of(rule).Check(machine, network, rule.Uids)];
        if (rule.Probe > TimeSpan.Zero)
        {
            features.Add(PeerProbe.Check(machine, rule.Uids));
        }

        if (rule.NamesProcesses || rule.NotComms.Count > 0 || (rule.Keep is { } quota && GroupKeys.NeedsHolders(quota.Key)))
        {
            // The first round reports the named processes that refuse, if there are any by then.
            FeatureSupport naming = HolderCheck.Run("filter-processes", machine, rule.Uids);
            bool isForRound = naming.Availability == Availability.Partial || (naming.Availability == Availability.None && HasNamedProcess());
            features.Add(isForRound ? naming with { Availability = Availability.Full, Failure = default } : naming);
        }

        return Limit(features, network);
    }

    private bool HasNamedProcess()
    {
        try
        {
            using IProcessTable table = machine.OpenProcesses();
            return new NamedProcesses(table, rule.Pids, rule.Comms).Pids.Count > 0;
        }
        catch (SystemCallException)
        {
            return false;
        }
    }

    private List<FeatureSupport> Limit(List<FeatureSupport> features, NetworkNamespace network)
    {
        if (!features.Exists(static support => support.NeedsProcesses && !support.IsImpossible))
        {
            return features;
        }

        try
        {
            using IProcessTable table = machine.OpenProcesses();
            var visibility = new HolderVisibility(table, machine.Dump, network, rule.Uids);
            return features.ConvertAll(support => visibility.Limit(support, rule.Uids));
        }
        catch (SystemCallException)
        {
            return features; // the first round fails in the same way and reports it
        }
    }

    /// <summary>How much is missing; one impossible feature outweighs all partial ones.</summary>
    private static int CountMissing(List<FeatureSupport> features)
    {
        int missing = 0;
        foreach (FeatureSupport support in features)
        {
            missing += support.IsImpossible ? features.Count + 1 : support.IsPossible ? 0 : 1;
        }

        return missing;
    }
}
