using System.Runtime.InteropServices;
using TcpCloser.Interop;

namespace TcpCloser.Diag;

/// <summary>
/// Writes INET_DIAG bytecode under the kernel's audit rules: every op's <c>yes</c> is its own size, so that all ops lie on
/// the chain the kernel walks, and branching is done by <c>no</c> alone.
/// </summary>
internal sealed class BytecodeWriter
{
    /// <summary>Branch to the clause that follows, or accept where none does.</summary>
    public const ushort Next = ushort.MaxValue;

    /// <summary>Branch out of the program: the socket is not listed.</summary>
    public const ushort Reject = ushort.MaxValue - 1;

    /// <summary>
    /// Ops, each with its operands behind it. As long as the program is written, an op's <c>no</c> is where it goes: the
    /// index of an op, <see cref="Next"/> or <see cref="Reject"/>.
    /// </summary>
    private readonly List<InetDiagBcOp> _ops;

    private int _clauseStart;

    /// <param name="capacity">About how many ops and operands there will be: a long program is not copied to grow.</param>
    public BytecodeWriter(int capacity) => _ops = new List<InetDiagBcOp>(capacity);

    /// <summary>The index of the op that will be written next.</summary>
    public int Position => _ops.Count;

    /// <summary>Compares a port; where it does not hold, goes to <paramref name="target"/>. Returns the op's index.</summary>
    public int Port(byte code, ushort port, ushort target)
    {
        int index = Op(code, 2 * sizeof(uint), target);
        _ops.Add(new InetDiagBcOp { No = port });
        return index;
    }

    /// <summary>Compares an address with a prefix; the address is as long as its family makes it.</summary>
    public int HostCondition(byte code, int family, byte prefixLength, Address address, ushort target)
    {
        int addressWords = family == Socket.AF_INET ? 1 : 4;
        int index = Op(code, (byte)((3 + addressWords) * sizeof(uint)), target);
        var condition = new InetDiagHostCond { Family = (byte)family, PrefixLen = prefixLength, Port = -1 };
        Operands(MemoryMarshal.AsBytes(new ReadOnlySpan<InetDiagHostCond>(in condition)));
        Operands(Address.Bytes(in address)[..(addressWords * sizeof(uint))]);
        return index;
    }

    /// <summary>A condition whose operand is what follows it: a device's index, a mark and its mask, a cgroup's id. Returns the op's index.</summary>
    public int Condition(byte code, ReadOnlySpan<byte> operand)
    {
        int index = Op(code, (byte)(sizeof(uint) + operand.Length), Reject);
        Operands(operand);
        return index;
    }

    public void Jump(ushort target) => Op(SockDiag.INET_DIAG_BC_JMP, sizeof(uint), target);

    /// <summary>Lets an op's <c>no</c> go to the op that is written next.</summary>
    public void LeadHere(int op) => SetTarget(op, (ushort)Position);

    /// <summary>Ends a clause: its branches to <see cref="Next"/> lead to the op that comes now. In a negated clause those reject, and the others lead here.</summary>
    public void EndClause(bool negated)
    {
        for (int i = _clauseStart; i < Position; i += Size(i))
        {
            ushort target = _ops[i].No;
            SetTarget(i, target == (negated ? Reject : Next) ? (ushort)Position : target == Next ? Reject : target);
        }

        _clauseStart = Position;
    }

    /// <summary>Takes the clauses from that op on back.</summary>
    public void Truncate(int position)
    {
        _ops.RemoveRange(position, _ops.Count - position);
        _clauseStart = position;
    }

    /// <summary>Ends the writing: the program, its branches as offsets in bytes. A branch to the very end accepts, four bytes further rejects.</summary>
    public byte[] Finish()
    {
        for (int i = 0; i < Position; i += Size(i))
        {
            int target = _ops[i].No == Reject ? Position + 1 : _ops[i].No;
            SetTarget(i, checked((ushort)((target - i) * sizeof(uint))));
        }

        return MemoryMarshal.AsBytes(CollectionsMarshal.AsSpan(_ops)).ToArray();
    }

    /// <summary>How many places an op and its operands take.</summary>
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
