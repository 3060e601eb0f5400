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
    public const int Next = -1;

    /// <summary>Branch out of the program: the socket is not listed.</summary>
    public const int Reject = -2;

    private readonly List<InetDiagBcOp> _ops = [];

    /// <summary>Where each op's <c>no</c> goes: the index of an op, <see cref="Next"/>, <see cref="Reject"/>; of an operand, <see cref="Operand"/>.</summary>
    private readonly List<int> _targets = [];

    private int _clauseStart;

    private const int Operand = -3;

    /// <summary>The index of the op that will be written next.</summary>
    public int Position => _ops.Count;

    /// <summary>Compares a port; where it does not hold, goes to <paramref name="target"/>. Returns the op's index.</summary>
    public int Port(byte code, ushort port, int target)
    {
        int index = Op(code, 2 * sizeof(uint), target);
        Add(new InetDiagBcOp { No = port }, Operand);
        return index;
    }

    /// <summary>Compares an address with a prefix; the address is as long as its family makes it.</summary>
    public int HostCondition(byte code, int family, byte prefixLength, Address address, int target)
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

    public void Jump(int target) => Op(SockDiag.INET_DIAG_BC_JMP, sizeof(uint), target);

    public void Retarget(int op, int target) => _targets[op] = target;

    /// <summary>What goes to <see cref="Next"/> goes here; in a negated clause that is rejected, and what was to be rejected goes here.</summary>
    public void EndClause(bool negated)
    {
        for (int i = _clauseStart; i < _targets.Count; i++)
        {
            _targets[i] = _targets[i] == (negated ? Reject : Next) ? Position
                : _targets[i] == Next ? Reject
                : _targets[i];
        }

        _clauseStart = Position;
    }

    /// <summary>Takes the clauses from that op on back.</summary>
    public void Truncate(int position)
    {
        _ops.RemoveRange(position, _ops.Count - position);
        _targets.RemoveRange(position, _targets.Count - position);
        _clauseStart = position;
    }

    /// <summary>The program, its branches as offsets in bytes. A branch to the very end accepts, four bytes further rejects.</summary>
    public byte[] ToArray()
    {
        var program = _ops.ToArray();
        for (int i = 0; i < program.Length; i++)
        {
            if (_targets[i] != Operand)
            {
                int target = _targets[i] == Reject ? program.Length + 1 : _targets[i];
                program[i].No = checked((ushort)((target - i) * sizeof(uint)));
            }
        }

        return MemoryMarshal.AsBytes(program.AsSpan()).ToArray();
    }

    private int Op(byte code, byte size, int target)
    {
        Add(new InetDiagBcOp { Code = code, Yes = size }, target);
        return _ops.Count - 1;
    }

    private void Operands(ReadOnlySpan<byte> bytes)
    {
        foreach (InetDiagBcOp operand in MemoryMarshal.Cast<byte, InetDiagBcOp>(bytes))
        {
            Add(operand, Operand);
        }
    }

    private void Add(InetDiagBcOp op, int target)
    {
        _ops.Add(op);
        _targets.Add(target);
    }
}
