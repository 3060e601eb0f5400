using System.Runtime.InteropServices;
using TcpCloser.Interop;
using TcpCloser.Rules;

namespace TcpCloser.Diag;

/// <summary>
/// Compiles a selection to the bytecode of INET_DIAG_REQ_BYTECODE (net/ipv4/inet_diag.c: inet_diag_bc_run and
/// inet_diag_bc_audit). Every condition is a clause, and all clauses must hold. Ports become a balanced tree: inner nodes
/// halve the sorted ranges, leaves compare up to sixteen in sequence.
/// </summary>
internal sealed class FilterCompiler
{
    /// <summary>
    /// The maximum number of ranges and prefixes. Beyond it, the kernel's check, which is quadratic in the length of the program, costs
    /// more than the filter saves.
    /// </summary>
    public const int MaxTerms = 3_000;

    /// <summary>The maximum length of a program in bytes: the attribute that contains it has a 16-bit length.</summary>
    public const int MaxLength = 65_528;

    /// <summary>
    /// The maximum number of cgroups. The kernel compares them one after the other: with this many, a listing that matches nothing takes
    /// half the time of one without a filter, and one that matches everything a fifth longer. User space looks them up in a set.
    /// </summary>
    public const int MaxCgroups = 64;

    private const int LeafRanges = 16;

    private readonly BytecodeWriter _code;
    private int _terms;

    private FilterCompiler(int capacity) => _code = new BytecodeWriter(capacity);

    /// <summary>
    /// Whether the conditions by mark and cgroup fit into the program, if the kernel knows them. If not, user space alone decides.
    /// </summary>
    public static bool HoldsMarksAndCgroups(Selection selection, RuleContext context) =>
        (context.Interfaces?.Count ?? 0) + selection.Marks.Count + (context.CgroupIds?.Count ?? 0) <= MaxTerms
        && (context.CgroupIds?.Count ?? 0) <= MaxCgroups;

    /// <summary>
    /// Returns the program; empty if there is nothing to decide. It accepts every connection of the selection. It also accepts others if
    /// the selection exceeds the kernel's limits, or if user space decides better, so the answers must be matched again.
    /// </summary>
    /// <param name="context">The current meaning of the selection's names.</param>
    /// <param name="marksAndCgroups">Whether the kernel knows MARK_COND (Linux 4.4) and CGROUP_COND (5.9).</param>
    public static byte[] Compile(Selection selection, RuleContext context, bool marksAndCgroups)
    {
        // A port range takes four list entries and its share of the tree.
        int ranges = (selection.SourcePorts?.Ranges.Length ?? 0) + (selection.DestinationPorts?.Ranges.Length ?? 0);
        var compiler = new FilterCompiler(16 + 5 * Math.Min(ranges, MaxTerms));
        compiler.Clauses(selection, context, marksAndCgroups);
        return compiler._code.Finish();
    }

    private void Clauses(Selection selection, RuleContext context, bool marksAndCgroups)
    {
        if (selection.Families == Families.IPv4)
        {
            // Prefix length 0 matches AF_INET sockets and, among AF_INET6 ones, exactly ::ffff:0:0/96.
            _code.HostCondition(SockDiag.INET_DIAG_BC_S_COND, Socket.AF_INET, 0, default, BytecodeWriter.Reject);
            _code.EndClause(negated: false);
        }

        AnyOf(context.Interfaces, static (code, index) => code.Condition(SockDiag.INET_DIAG_BC_DEV_COND, AsBytes(in index)));
        if (marksAndCgroups)
        {
            AnyOf(selection.Marks.Count == 0 ? null : selection.Marks,
                static (code, mark) => code.Condition(SockDiag.INET_DIAG_BC_MARK_COND, AsBytes(in mark)));
            Cgroups(context.CgroupIds);
        }

        Prefixes(selection.Sources, SockDiag.INET_DIAG_BC_S_COND, negated: false);
        Prefixes(selection.Destinations, SockDiag.INET_DIAG_BC_D_COND, negated: false);
        Prefixes(selection.NotSources, SockDiag.INET_DIAG_BC_S_COND, negated: true);
        Prefixes(selection.NotDestinations, SockDiag.INET_DIAG_BC_D_COND, negated: true);

        // A single port is in the request's id and costs no bytecode.
        Ports(selection.SourcePorts is { Single: 0 } ? selection.SourcePorts : null, selection.DestinationPorts is { Single: 0 } ? selection.DestinationPorts : null);
        if (context.Only is { IsEmpty: true })
        {
            AnyOf<uint>([], static (_, _) => 0); // nothing matches
        }
        else
        {
            Ports(context.Only?.Ports.Source, context.Only?.Ports.Destination);
        }
    }

    /// <summary>The shorter list goes first: it is more likely to fit.</summary>
    private void Ports(PortSet? source, PortSet? destination)
    {
        bool destinationFirst = source is not null && destination is not null && source.Ranges.Length > destination.Ranges.Length;
        Ports(destinationFirst ? destination : source, !destinationFirst);
        Ports(destinationFirst ? source : destination, destinationFirst);
    }

    /// <summary>
    /// If there are too many, the kernel rejects only the sockets for which it has no cgroup, such as those in TIME_WAIT: it would not
    /// report one, so user space could not decide.
    /// </summary>
    private void Cgroups(HashSet<ulong>? ids)
    {
        if (ids is null)
        {
            return;
        }

        bool fits = ids.Count <= MaxCgroups;
        ulong[] compared = fits ? [.. ids] : [0];
        Clause(compared.Length, negated: !fits, () => Alternatives(compared, static (code, id) =>
            code.Condition(SockDiag.INET_DIAG_BC_CGROUP_COND, AsBytes(in id))));
    }

    private void Ports(PortSet? ports, bool source)
    {
        if (ports is not null)
        {
            Clause(ports.Ranges.Length, negated: false, () =>
            {
                // One op rejects the ephemeral ports of the opposite ends: half of all sockets if both ends are on this machine.
                if (ports.Ranges.Length > LeafRanges)
                {
                    _code.Port(source ? SockDiag.INET_DIAG_BC_S_LE : SockDiag.INET_DIAG_BC_D_LE, ports.Ranges.Span[^1].Last, BytecodeWriter.Reject);
                }

                Tree(ports.Ranges.Span, source);
            });
        }
    }

    private void Prefixes(IReadOnlyList<AddressPrefix> prefixes, byte op, bool negated)
    {
        // User space decides which device an address is on: a connection that the kernel omits by mistake cannot be recovered.
        if (prefixes.Count > 0 && !(negated && AddressPrefix.AnyNamesDevice(prefixes)))
        {
            Clause(prefixes.Count, negated, () => Alternatives(prefixes, (code, prefix) =>
                code.HostCondition(op, prefix.Family, prefix.Length, prefix.Address, BytecodeWriter.Reject)));
        }
    }

    private void AnyOf<T>(IReadOnlyList<T>? values, Func<BytecodeWriter, T, int> condition)
    {
        if (values is not null)
        {
            Clause(values.Count, negated: false, () => Alternatives(values, condition));
        }
    }

    /// <summary>Writes a clause if the program stays within the kernel's limits; otherwise the clause is left to user space.</summary>
    private void Clause(int terms, bool negated, Action write)
    {
        if (_terms + terms > MaxTerms)
        {
            return;
        }

        int start = _code.Position;
        write();
        _code.EndClause(negated);
        if (_code.Position * sizeof(uint) > MaxLength)
        {
            _code.Truncate(start);
            return;
        }

        _terms += terms;
    }

    /// <summary>Writes conditions in sequence; the first one that holds decides.</summary>
    private void Alternatives<T>(IReadOnlyList<T> values, Func<BytecodeWriter, T, int> condition)
    {
        for (int i = 0; i < values.Count; i++)
        {
            int test = condition(_code, values[i]);
            _code.Jump(BytecodeWriter.Next);
            if (i + 1 < values.Count)
            {
                _code.LeadHere(test);
            }
        }

        if (values.Count == 0)
        {
            _code.Jump(BytecodeWriter.Reject);
        }
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
        _code.LeadHere(node);
        Tree(ranges[..middle], source);
    }

    /// <summary>
    /// Compares sorted ranges in sequence: a port below the start of a range is in none of the following ranges, and a port that is not
    /// above its end is in that range. Both results leave the clause, and in the last clause the program, so the kernel's audit has no
    /// branch to follow. S_EQ and D_EQ, which kernels before 4.16 refuse, would save nothing.
    /// </summary>
    private void Leaf(ReadOnlySpan<PortRange> ranges, bool source)
    {
        byte greaterOrEqual = source ? SockDiag.INET_DIAG_BC_S_GE : SockDiag.INET_DIAG_BC_D_GE;
        foreach (PortRange range in ranges)
        {
            _code.Port(greaterOrEqual, range.First, BytecodeWriter.Reject);
            if (range.Last == ushort.MaxValue)
            {
                _code.Jump(BytecodeWriter.Next);
                return;
            }

            _code.Port(greaterOrEqual, (ushort)(range.Last + 1), BytecodeWriter.Next);
        }

        _code.Jump(BytecodeWriter.Reject);
    }

    private static ReadOnlySpan<byte> AsBytes<T>(ref readonly T value) where T : unmanaged => MemoryMarshal.AsBytes(new ReadOnlySpan<T>(in value));
}
