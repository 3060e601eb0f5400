using TcpCloser.Interop;

namespace TcpCloser.Diag;

/// <summary>What the kernel is asked for a selection: its bytecode and the request, and what its answer is held against.</summary>
internal sealed class DumpQuery
{
    private readonly Selection _selection;

    /// <param name="selection">What is meant.</param>
    /// <param name="context">What its names mean now.</param>
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

    /// <summary>Whether a kernel that does not know every op may refuse it for that.</summary>
    public bool HasMarkOrCgroupOps { get; }

    /// <summary>Whether the kernel decides over marks and cgroups. TIME_WAIT carries neither, so then its word is all there is.</summary>
    public bool KernelDecides { get; }

    /// <summary>What the dump is called where it fails.</summary>
    public Operation OperationFor(int errno) =>
        errno == Errno.EPERM && _selection.Marks.Count > 0 ? Operation.ListSocketsByMark : Operation.ListSockets;

    /// <summary>Whether the socket is one of those meant.</summary>
    public Match Match(ref readonly Connection connection, in SocketAttributes attributes) =>
        _selection.Match(in connection, in attributes, Context, KernelDecides);
}
