using System.Buffers.Binary;

namespace TcpCloser.Tests.Support;

/// <summary>Runs INET_DIAG_REQ_BYTECODE like inet_diag_bc_run in net/ipv4/inet_diag.c.</summary>
internal static class BytecodeInterpreter
{
    private static readonly byte[] s_mappedPrefix = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff]; // ::ffff:0:0/96

    /// <summary>Whether the kernel would list the socket. Without a program, it lists every socket.</summary>
    public static bool Accepts(ReadOnlySpan<byte> program, in FilterEntry entry)
    {
        int at = 0;
        while (at < program.Length)
        {
            ReadOnlySpan<byte> op = program[at..];
            at += Holds(op, in entry) ? op[1] : BinaryPrimitives.ReadUInt16LittleEndian(op[2..]);
        }

        return at == program.Length;
    }

    private static bool Holds(ReadOnlySpan<byte> op, in FilterEntry entry) => op[0] switch
    {
        Op.Nop => true,
        Op.Jump => false,
        Op.SourceAtLeast => entry.SourcePort >= Port(op),
        Op.SourceAtMost => entry.SourcePort <= Port(op),
        Op.SourceEqual => entry.SourcePort == Port(op),
        Op.DestinationAtLeast => entry.DestinationPort >= Port(op),
        Op.DestinationAtMost => entry.DestinationPort <= Port(op),
        Op.DestinationEqual => entry.DestinationPort == Port(op),
        Op.SourceCondition => Matches(op, entry.Family, entry.Source, entry.SourcePort),
        Op.DestinationCondition => Matches(op, entry.Family, entry.Destination, entry.DestinationPort),
        Op.DeviceCondition => entry.Interface == BinaryPrimitives.ReadUInt32LittleEndian(op[4..]),
        Op.MarkCondition => (entry.Mark & BinaryPrimitives.ReadUInt32LittleEndian(op[8..])) == BinaryPrimitives.ReadUInt32LittleEndian(op[4..]),
        Op.CgroupCondition => entry.CgroupId == BinaryPrimitives.ReadUInt64LittleEndian(op[4..]),
        _ => throw new InvalidOperationException($"op {op[0]} in a program that passed the audit"),
    };

    /// <summary>The port is the field <c>no</c> of the next op.</summary>
    private static ushort Port(ReadOnlySpan<byte> op) => BinaryPrimitives.ReadUInt16LittleEndian(op[6..]);

    private static bool Matches(ReadOnlySpan<byte> op, int family, ReadOnlySpan<byte> address, ushort port)
    {
        int expectedFamily = op[4];
        int prefixLength = op[5];
        int expectedPort = BinaryPrimitives.ReadInt32LittleEndian(op[8..]);
        ReadOnlySpan<byte> expected = op[12..];
        if (expectedPort != -1 && expectedPort != port)
        {
            return false;
        }

        if (expectedFamily != 0 && expectedFamily != family)
        {
            bool mapped = family == 10 && expectedFamily == 2 && address[..12].SequenceEqual(s_mappedPrefix);
            return mapped && SameBits(address[12..], expected, prefixLength);
        }

        return prefixLength == 0 || SameBits(address, expected, prefixLength);
    }

    private static bool SameBits(ReadOnlySpan<byte> a, ReadOnlySpan<byte> b, int bits)
    {
        for (int i = 0; i < bits; i++)
        {
            if (((a[i / 8] ^ b[i / 8]) & 0x80 >> i % 8) != 0)
            {
                return false;
            }
        }

        return true;
    }
}
