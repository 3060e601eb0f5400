using TcpCloser.Diag;
using TcpCloser.Interop;
using TcpCloser.Kill;
using TcpCloser.Report;
using TcpCloser.Rules;

namespace TcpCloser.Run;

/// <summary>
/// Lists the connections that a rule selects in each of its network namespaces. A failure in one is reported and does not stop the others.
/// </summary>
/// <param name="lookup">Resolves the rule's names in each namespace.</param>
/// <param name="sink">Receives the failures.</param>
internal sealed class NamespaceListing(SelectionDump dump, RuleLookup lookup, Collector collector, IResultSink sink)
{
    private readonly List<(Failure Failure, NetworkNamespace First, int Count)> _failures = [];

    /// <summary>Receives the filters that were sent to the kernel; null: they are not logged.</summary>
    public Action<Level, string>? Message { get; init; }

    /// <summary>
    /// Whether the operator named each namespace. If not, namespaces that fail in the same way are reported together, with their number.
    /// </summary>
    public bool AreNamed { get; init; }

    /// <returns>
    /// Whether listing is not possible here: every namespace failed, at least one because privilege or kernel support is missing.
    /// </returns>
    /// <exception cref="SystemCallException">
    /// The own namespace, which has no name, could not be listed, or could not be entered again.
    /// </exception>
    public bool Run(IReadOnlyList<NetworkNamespace> namespaces)
    {
        bool anyListed = false;
        bool anyNotPossible = false;
        try
        {
            for (int i = 0; i < namespaces.Count; i++)
            {
                Failure failure = Run(namespaces[i]);
                anyListed |= failure.IsNone;
                anyNotPossible |= !failure.IsNone && Remedies.IsNotPossible(failure);
            }
        }
        finally
        {
            ReportFailures();
        }

        return anyNotPossible && !anyListed;
    }

    private void AddFailure(Failure failure, NetworkNamespace network)
    {
        int alike = AreNamed ? -1 : _failures.FindIndex(other => (other.Failure.Operation, other.Failure.Errno) == (failure.Operation, failure.Errno));
        if (alike < 0)
        {
            _failures.Add((failure, network, 1));
        }
        else
        {
            _failures[alike] = _failures[alike] with { Count = _failures[alike].Count + 1 };
        }
    }

    private void ReportFailures()
    {
        foreach ((Failure failure, NetworkNamespace first, int count) in _failures)
        {
            string others = count == 1 ? "" : $" and {count - 1} other{(count == 2 ? "" : "s")}";
            sink.Incomplete(failure with { Subject = (failure.Subject ?? first.Description) + others });
        }

        _failures.Clear();
    }

    /// <summary>Lists one namespace. Returns why it could not be listed, if it has a name; none: it was listed.</summary>
    private Failure Run(NetworkNamespace network)
    {
        try
        {
            byte[] bytecode = dump.Run(network, lookup.ContextOf(network), collector);
            if (collector.HasUndecided)
            {
                sink.Problem(new Failure(Operation.MatchMarkOrCgroup, Errno.EOPNOTSUPP, network.Description));
            }

            if (collector.UnknownCgroups > 0)
            {
                string where = network.Description is { } name ? " " + name : "";
                string sockets = collector.UnknownCgroups == 1 ? "1 socket" : $"{collector.UnknownCgroups} sockets";
                sink.Incomplete(new Failure(Operation.MatchNotCgroup, Errno.ENODATA, sockets + where));
            }

            ReportFilter(bytecode);
            return default;
        }
        catch (SystemCallException e) when (network.Name is not null && e.Failure.Operation != Operation.ReturnToNamespace)
        {
            AddFailure(e.Failure, network);
            return e.Failure;
        }
    }

    private void ReportFilter(byte[] bytecode)
    {
        if (Message is null)
        {
            return;
        }

        Message(Level.Debug, $"filter of {bytecode.Length} bytes");
        foreach (string line in Disassembler.Lines(bytecode))
        {
            Message(Level.Debug, "filter " + line);
        }
    }
}
