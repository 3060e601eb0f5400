using TcpCloser.Interop;
using TcpCloser.Rules;

namespace TcpCloser.Diag;

/// <summary>
/// Lists the sockets of a selection. The query is reused while the context stays the same, as in the rounds of a service.
/// </summary>
internal sealed class SelectionDump(Selection selection, SocketDump dump)
{
    private DumpQuery? _query;

    /// <summary>Adds the sockets of a namespace to the collector.</summary>
    /// <returns>The filter that the kernel ran.</returns>
    /// <exception cref="SystemCallException">The namespace cannot be listed; none of its sockets was added.</exception>
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
                // A kernel that does not know the op may still report the mark or the cgroup of each socket.
                _query = new DumpQuery(selection, context, marksAndCgroups: false);
                errno = Ask(network, collector);
            }

            Failure.If(_query.OperationFor(errno), errno).ThrowIfAny();
            collector.Complete();
            return _query.Bytecode;
        }
        catch (SystemCallException)
        {
            collector.Reset(); // sockets that were listed before the failure must not be acted on
            throw;
        }
    }

    private int Ask(NetworkNamespace network, Collector collector)
    {
        collector.SetQuery(_query!);
        return dump.Run(network, _query!.Request, collector.Sink, collector.Restart);
    }
}

/// <summary>The query for a selection: its bytecode, the request, and the check of the answers.</summary>
internal sealed class DumpQuery
{
    private readonly Selection _selection;

    /// <param name="context">The current meaning of the selection's names.</param>
    /// <param name="marksAndCgroups">Whether the kernel knows MARK_COND (Linux 4.4) and CGROUP_COND (5.9).</param>
    public DumpQuery(Selection selection, RuleContext context, bool marksAndCgroups)
    {
        _selection = selection;
        Context = context;
        HasMarkOrCgroupOps = marksAndCgroups && (selection.Marks.Count > 0 || context.CgroupIds is not null);
        KernelDecides = marksAndCgroups && FilterCompiler.HoldsMarksAndCgroups(selection, context);
        Bytecode = FilterCompiler.Compile(selection, context, marksAndCgroups);
        Request = DumpRequest.Build(selection, Bytecode);
    }

    public RuleContext Context { get; }

    /// <summary>The filter that the kernel runs; empty: none.</summary>
    public byte[] Bytecode { get; }

    /// <summary>The message; its sequence number is filled in when it is sent.</summary>
    public byte[] Request { get; }

    /// <summary>Whether it has ops that an older kernel may refuse.</summary>
    public bool HasMarkOrCgroupOps { get; }

    /// <summary>
    /// Whether the kernel decides on marks and cgroups. TIME_WAIT sockets report neither, so for them nothing else can decide.
    /// </summary>
    public bool KernelDecides { get; }

    /// <summary>The operation to report if the dump fails.</summary>
    public Operation OperationFor(int errno) =>
        errno == Errno.EPERM && _selection.Marks.Count > 0 ? Operation.ListSocketsByMark : Operation.ListSockets;

    /// <summary>Whether the selection includes the socket.</summary>
    public Match Match(ref readonly Connection connection, in SocketAttributes attributes) =>
        _selection.Match(in connection, in attributes, Context, KernelDecides);
}
