using System.Buffers.Binary;

namespace TcpCloser.Tests.Support;

/// <summary>
/// Decides which INET_DIAG_REQ_BYTECODE a kernel accepts (net/ipv4/inet_diag.c: inet_diag_bc_audit, valid_cc, valid_hostcond,
/// valid_port_comparison). Written from the kernel's rules alone, independently of the compiler under test.
/// </summary>
internal static class BytecodeAudit
{
    public const int MaxLength = 65_528; // the maximum of whole ops in an attribute of 65,535 bytes, in bytes
    private const int OpSize = 4;

    /// <summary>
    /// Why the kernel answers EINVAL (or EPERM); null: it accepts the program. The kernel may lack S_EQ and D_EQ, and the caller
    /// CAP_NET_ADMIN, which MARK_COND requires.
    /// </summary>
    public static string? Refusal(ReadOnlySpan<byte> program, bool hasEqual = true, bool netAdmin = true)
    {
        if (program.Length is < OpSize or > MaxLength)
        {
            return $"{program.Length} bytes";
        }

        HashSet<int> chain = Chain(program);
        int at = 0;
        while (at < program.Length)
        {
            int left = program.Length - at;
            if (left < OpSize)
            {
                return $"{at:x4}: {left} bytes are not an op";
            }

            byte code = program[at];
            byte yes = program[at + 1];
            ushort no = BinaryPrimitives.ReadUInt16LittleEndian(program[(at + 2)..]);
            if (code == Op.MarkCondition && !netAdmin)
            {
                return $"{at:x4}: EPERM";
            }

            int size = OpSize + OperandSize(program[at..], code, hasEqual);
            if (size < OpSize || left < size)
            {
                return $"{at:x4}: op {code} is unknown, malformed or cut off";
            }

            if (code != Op.Nop)
            {
                if (no < size || no > left + 4 || (no & 3) != 0)
                {
                    return $"{at:x4}: no={no}";
                }

                if (no < left && !chain.Contains(at + no))
                {
                    return $"{at:x4}: no={no} does not lead to an op";
                }
            }

            if (yes < size || yes > left + 4 || (yes & 3) != 0)
            {
                return $"{at:x4}: yes={yes}";
            }

            at += yes;
        }

        return at == program.Length ? null : "the last yes leads beyond the end";
    }

    /// <summary>The offsets that a walk along <c>yes</c> visits: valid_cc accepts only these as targets.</summary>
    private static HashSet<int> Chain(ReadOnlySpan<byte> program)
    {
        var chain = new HashSet<int>();
        int at = 0;
        while (at + OpSize <= program.Length)
        {
            chain.Add(at);
            byte yes = program[at + 1];
            if (yes < 4 || (yes & 3) != 0)
            {
                break;
            }

            at += yes;
        }

        return chain;
    }

    /// <summary>The length of an op's operand, after its first four bytes; negative: the kernel does not know the op.</summary>
    private static int OperandSize(ReadOnlySpan<byte> op, byte code, bool hasEqual)
    {
        switch (code)
        {
            case Op.Nop or Op.Jump or Op.Auto:
                return 0;
            case Op.SourceEqual or Op.DestinationEqual:
                return hasEqual ? 4 : -OpSize - 1;
            case Op.SourceAtLeast or Op.SourceAtMost or Op.DestinationAtLeast or Op.DestinationAtMost or Op.DeviceCondition:
                return 4;
            case Op.MarkCondition or Op.CgroupCondition:
                return 8;
            case Op.SourceCondition or Op.DestinationCondition when op.Length >= OpSize + 8:
                int addressLength = op[OpSize] switch { 0 => 0, 2 => 4, 10 => 16, _ => -1 };
                return addressLength < 0 || op[OpSize + 1] > 8 * addressLength ? -OpSize - 1 : 8 + addressLength;
            default:
                return -OpSize - 1;
        }
    }
}

/// <summary>INET_DIAG_BC_*, in the order of the enum in linux/inet_diag.h.</summary>
internal static class Op
{
    public const byte Nop = 0;
    public const byte Jump = 1;
    public const byte SourceAtLeast = 2;
    public const byte SourceAtMost = 3;
    public const byte DestinationAtLeast = 4;
    public const byte DestinationAtMost = 5;
    public const byte Auto = 6;
    public const byte SourceCondition = 7;
    public const byte DestinationCondition = 8;
    public const byte DeviceCondition = 9;
    public const byte MarkCondition = 10;
    public const byte SourceEqual = 11;
    public const byte DestinationEqual = 12;
    public const byte CgroupCondition = 13;
}
