using System.Runtime.InteropServices;
using TcpCloser.Interop;

namespace TcpCloser.Diag;

/// <summary>
/// Writes INET_DIAG bytecode that passes the kernel's audit: the <c>yes</c> of every op is its own size, so that all ops lie on the
/// chain that the kernel walks, and only <c>no</c> branches.
/// </summary>
internal sealed class BytecodeWriter
{
    /// <summary>Branch to the following clause, or accept if there is none.</summary>
    public const ushort Next = ushort.MaxValue;

    /// <summary>Branch out of the program: the socket is not listed.</summary>
    public const ushort Reject = ushort.MaxValue - 1;

    /// <summary>
    /// Ops, each followed by its operands. While the program is being written, the <c>no</c> of an op is its target: the index of an
    /// op, <see cref="Next"/> or <see cref="Reject"/>.
    /// </summary>
    private readonly List<InetDiagBcOp> _ops;

    private int _clauseStart;

    /// <param name="capacity">The approximate number of ops and operands, so that a long program is not copied as it grows.</param>
    public BytecodeWriter(int capacity) => _ops = new List<InetDiagBcOp>(capacity);

    /// <summary>The index of the next op to be written.</summary>
    public int Position => _ops.Count;

    /// <summary>Compares a port; if the comparison fails, branches to <paramref name="target"/>. Returns the op's index.</summary>
    public int Port(byte code, ushort port, ushort target)
    {
        int index = Op(code, 2 * sizeof(uint), target);
        _ops.Add(new InetDiagBcOp { No = port });
        return index;
    }

    /// <summary>Compares an address with a prefix; the family determines the length of the address. Returns the op's index.</summary>
    public int HostCondition(byte code, int family, byte prefixLength, Address address, ushort target)
    {
        int addressWords = family == Socket.AF_INET ? 1 : 4;
        int index = Op(code, (byte)((3 + addressWords) * sizeof(uint)), target);
        var condition = new InetDiagHostCond { Family = (byte)family, PrefixLen = prefixLength, Port = -1 };
        Operands(MemoryMarshal.AsBytes(new ReadOnlySpan<InetDiagHostCond>(in condition)));
        Operands(Address.Bytes(in address)[..(addressWords * sizeof(uint))]);
        return index;
    }

    /// <summary>
    /// A condition whose operand follows the op: a device's index, a mark and its mask, or a cgroup's id. Returns the op's index.
    /// </summary>
    public int Condition(byte code, ReadOnlySpan<byte> operand)
    {
        int index = Op(code, (byte)(sizeof(uint) + operand.Length), Reject);
        Operands(operand);
        return index;
    }

    public void Jump(ushort target) => Op(SockDiag.INET_DIAG_BC_JMP, sizeof(uint), target);

    /// <summary>Sets the target of an op to the next op to be written.</summary>
    public void LeadHere(int op) => SetTarget(op, (ushort)Position);

    /// <summary>
    /// Ends a clause: branches to <see cref="Next"/> go to the next op to be written. In a negated clause, they reject, and branches to
    /// <see cref="Reject"/> go there.
    /// </summary>
    public void EndClause(bool negated)
    {
        for (int i = _clauseStart; i < Position; i += Size(i))
        {
            ushort target = _ops[i].No;
            SetTarget(i, target == (negated ? Reject : Next) ? (ushort)Position : target == Next ? Reject : target);
        }

        _clauseStart = Position;
    }

    /// <summary>Removes everything from this op on.</summary>
    public void Truncate(int position)
    {
        _ops.RemoveRange(position, _ops.Count - position);
        _clauseStart = position;
    }

    /// <summary>
    /// Converts the targets to byte offsets and returns the program. A branch to the very end accepts; four bytes further, it rejects.
    /// </summary>
    public byte[] Finish()
    {
        for (int i = 0; i < Position; i += Size(i))
        {
            int target = _ops[i].No == Reject ? Position + 1 : _ops[i].No;
            SetTarget(i, checked((ushort)((target - i) * sizeof(uint))));
        }

        return MemoryMarshal.AsBytes(CollectionsMarshal.AsSpan(_ops)).ToArray();
    }

    /// <summary>The number of list entries of an op and its operands.</summary>
    private int Size(int op) => _ops[op].Yes / sizeof(uint);

    private void SetTarget(int op, ushort target) => CollectionsMarshal.AsSpan(_ops)[op].No = target;

    private int Op(byte code, byte size, ushort target)
    {
        _ops.Add(new InetDiagBcOp { Code = code, Yes = size, No = target });
        return _ops.Count - 1;
    }

    private void Operands(ReadOnlySpan<byte> bytes)
    {
        foreach (InetDiagBcOp operand in MemoryMarshal.Cast<byte, InetDiagBcOp>(bytes))
        {
            _ops.Add(operand);
        }
    }
}
