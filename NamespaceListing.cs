using TcpCloser.Diag;
using TcpCloser.Interop;
using TcpCloser.Kill;
using TcpCloser.Report;

namespace TcpCloser;

/// <summary>Lists what a rule means in each of its network namespaces. One that fails is told, and the others go on.</summary>
/// <param name="dump">Asks the kernel.</param>
/// <param name="lookup">What the names mean in each.</param>
/// <param name="collector">Takes the connections.</param>
/// <param name="sink">Is told what could not be listed.</param>
/// <param name="message">Is told what the kernel was asked; null: nobody wants to hear it.</param>
internal sealed class NamespaceListing(
    SelectionDump dump, RuleLookup lookup, Collector collector, IResultSink sink, Action<Level, string>? message)
{
    /// <returns>Whether it is not possible here: all failed, for want of privilege or of kernel support.</returns>
    /// <exception cref="SystemCallException">The own namespace, which has no name, could not be listed.</exception>
    public bool Run(IReadOnlyList<NetworkNamespace> namespaces)
    {
        bool anyListed = false;
        bool anyNotPossible = false;
        foreach (NetworkNamespace network in namespaces)
        {
            SystemCallException? e = Run(network);
            anyListed |= e is null;
            anyNotPossible |= e is not null && Remedies.IsNotPossible(e.Operation, e.Errno);
        }

        return anyNotPossible && !anyListed;
    }

    /// <summary>Returns why a namespace that has a name could not be listed; null: it was.</summary>
    private SystemCallException? Run(NetworkNamespace network)
    {
        try
        {
            byte[] bytecode = dump.Run(network, lookup.ContextOf(network), collector);
            if (collector.HasUndecided)
            {
                sink.Problem(Operation.MatchMarkOrCgroup, Errno.EOPNOTSUPP, network.Description);
            }

            TellFilter(bytecode);
            return null;
        }
        catch (SystemCallException e) when (network.Name is not null)
        {
            sink.Incomplete(e.Operation, e.Errno, e.Subject ?? network.Description);
            return e;
        }
    }

    private void TellFilter(byte[] bytecode)
    {
        if (message is null)
        {
            return;
        }

        if (dump.Interrupted)
        {
            message(Level.Debug, "the kernel's table changed while it was listed: connections may be missing in this round");
        }

        message(Level.Debug, $"filter of {bytecode.Length} bytes");
        foreach (string line in Disassembler.Lines(bytecode))
        {
            message(Level.Debug, "filter " + line);
        }
    }
}
