using TcpCloser.Cli;
using TcpCloser.Interop;

namespace TcpCloser.Diag;

/// <summary>
/// Compiles a selection to the bytecode of INET_DIAG_REQ_BYTECODE (net/ipv4/inet_diag.c: inet_diag_bc_run and
/// inet_diag_bc_audit). Every condition is a clause; all clauses have to hold. Ports become a balanced tree: inner nodes
/// halve the sorted ranges, leaves compare up to eight.
/// </summary>
internal sealed class FilterCompiler
{
    /// <summary>More ranges than this cost the kernel more to check, squared in the program's length, than they save.</summary>
    public const int MaxRanges = 3_000;

    private const int LeafRanges = 8;

    private readonly BytecodeWriter _code = new();
    private readonly bool _hasEqual;

    private FilterCompiler(bool hasEqual) => _hasEqual = hasEqual;

    /// <summary>
    /// The program; empty where there is nothing to decide. It accepts every connection of the selection, and others too
    /// where the selection is larger than what a kernel takes or decides better: what comes back has to be matched again.
    /// </summary>
    /// <param name="selection">What is meant.</param>
    /// <param name="hasEqual">Whether the kernel knows S_EQ and D_EQ; before about Linux 4.16 it does not and answers EINVAL.</param>
    public static byte[] Compile(Selection selection, bool hasEqual)
    {
        var compiler = new FilterCompiler(hasEqual);
        compiler.Family(selection.Families);

        // A single port is in the request's id and costs no bytecode. The shorter list goes first: it is surer to fit.
        PortSet? source = selection.SourcePorts is { Single: 0 } s ? s : null;
        PortSet? destination = selection.DestinationPorts is { Single: 0 } d ? d : null;
        int left = MaxRanges;
        if (source is not null && destination is not null && source.Ranges.Length > destination.Ranges.Length)
        {
            compiler.Ports(destination, false, ref left);
            compiler.Ports(source, true, ref left);
        }
        else
        {
            compiler.Ports(source, true, ref left);
            compiler.Ports(destination, false, ref left);
        }

        return compiler._code.ToArray();
    }

    /// <summary>IPv4 alone: a host condition of prefix length 0 takes AF_INET sockets and, among AF_INET6 ones, exactly ::ffff:0:0/96.</summary>
    private void Family(Families families)
    {
        if (families == Families.IPv4)
        {
            _code.HostCondition(SockDiag.INET_DIAG_BC_S_COND, Socket.AF_INET, 0, default, BytecodeWriter.Reject);
            _code.EndClause();
        }
    }

    private void Ports(PortSet? ports, bool source, ref int left)
    {
        if (ports is null || ports.Ranges.Length > left)
        {
            return;
        }

        left -= ports.Ranges.Length;
        Tree(ports.Ranges.Span, source);
        _code.EndClause();
    }

    private void Tree(ReadOnlySpan<PortRange> ranges, bool source)
    {
        if (ranges.Length <= LeafRanges)
        {
            Leaf(ranges, source);
            return;
        }

        int middle = ranges.Length / 2;
        int node = _code.Port(source ? SockDiag.INET_DIAG_BC_S_GE : SockDiag.INET_DIAG_BC_D_GE, ranges[middle].First, BytecodeWriter.Reject);
        Tree(ranges[middle..], source);
        _code.Retarget(node, _code.Position);
        Tree(ranges[..middle], source);
    }

    private void Leaf(ReadOnlySpan<PortRange> ranges, bool source)
    {
        for (int i = 0; i < ranges.Length; i++)
        {
            PortRange range = ranges[i];
            int test;
            if (range.First == range.Last && _hasEqual)
            {
                test = _code.Port(source ? SockDiag.INET_DIAG_BC_S_EQ : SockDiag.INET_DIAG_BC_D_EQ, range.First, BytecodeWriter.Reject);
            }
            else
            {
                // Below the first of sorted ranges is below all that follow.
                _code.Port(source ? SockDiag.INET_DIAG_BC_S_GE : SockDiag.INET_DIAG_BC_D_GE, range.First, BytecodeWriter.Reject);
                test = _code.Port(source ? SockDiag.INET_DIAG_BC_S_LE : SockDiag.INET_DIAG_BC_D_LE, range.Last, BytecodeWriter.Reject);
            }

            _code.Jump(BytecodeWriter.Next);
            if (i + 1 < ranges.Length)
            {
                _code.Retarget(test, _code.Position);
            }
        }
    }
}
