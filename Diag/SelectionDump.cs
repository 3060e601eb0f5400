using TcpCloser.Interop;

namespace TcpCloser.Diag;

/// <summary>Lists what a selection means. The query is built once, as long as the context stays the same: a service asks it each round.</summary>
internal sealed class SelectionDump(Selection selection, SocketDump dump)
{
    private DumpQuery? _query;

    /// <summary>The kernel said that the table changed under the last walk: sockets may be missing.</summary>
    public bool Interrupted => dump.Interrupted;

    /// <summary>Adds the sockets of a namespace to the collector.</summary>
    /// <returns>The filter that the kernel ran.</returns>
    /// <exception cref="SystemCallException">The namespace cannot be listed; nothing of it was added.</exception>
    public byte[] Run(NetworkNamespace network, RuleContext context, Collector collector)
    {
        collector.Begin(network);
        try
        {
            if (_query is null || _query.Context != context)
            {
                _query = new DumpQuery(selection, context, marksAndCgroups: true);
            }

            int errno = Ask(network, collector);
            if (errno == Errno.EINVAL && _query.HasMarkOrCgroupOps)
            {
                // A kernel that does not know the op may still tell the mark or the cgroup of each socket.
                _query = new DumpQuery(selection, context, marksAndCgroups: false);
                errno = Ask(network, collector);
            }

            return errno == 0 ? _query.Bytecode : throw new SystemCallException(_query.OperationFor(errno), errno);
        }
        catch (SystemCallException)
        {
            collector.Reset(); // what came before the failure is not to be acted on
            throw;
        }
    }

    private int Ask(NetworkNamespace network, Collector collector)
    {
        collector.Expect(_query!);
        return dump.Run(network, _query!.Request, collector);
    }
}
