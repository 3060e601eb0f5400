using System.Buffers.Binary;

namespace TcpCloser.Fuzz;

/// <summary>Damages bytes in common ways, and in ways that are hard on parsers.</summary>
internal sealed class Mutator(Dice dice)
{
    private const int MaxDamages = 4;

    /// <summary>Limits at which lengths and types overflow.</summary>
    private static readonly uint[] s_extremes =
    [
        0, 1, 2, 3, 4, 7, 8, 12, 13, 15, 16, 17, 31, 32, 33, 64, 72, 127, 128, 129, 255, 256, 4094, 4095, 4096, 0x7fff, 0x8000, 0x8001, 0xfffe, 0xffff,
        0x1_0000, 0x7fff_fffe, 0x7fff_ffff, 0x8000_0000, 0xffff_f000, 0xffff_f001, 0xffff_fffc, 0xffff_fffe, 0xffff_ffff,
    ];

    /// <summary>Returns a damaged copy of the bytes, possibly with pieces of <paramref name="other"/>.</summary>
    public byte[] Damage(byte[] bytes, byte[] other)
    {
        for (int i = dice.Below(MaxDamages); i >= 0; i--)
        {
            bytes = DamageOnce([.. bytes], other);
        }

        return bytes;
    }

    private byte[] DamageOnce(byte[] bytes, byte[] other)
    {
        if (bytes.Length == 0)
        {
            return Slice(other);
        }

        int at = dice.Below(bytes.Length);
        switch (dice.Below(9))
        {
            case 0:
                bytes[at] ^= (byte)(1 << dice.Below(8));
                return bytes;
            case 1:
                bytes[at] = (byte)dice.Next();
                return bytes;
            case 2:
                return bytes[..at];
            case 3:
                return bytes[at..];
            case 4: // duplicate a piece
                int end = at + 1 + dice.Below(bytes.Length - at);
                return [.. bytes[..end], .. bytes[at..end], .. bytes[end..]];
            case 5: // remove a piece
                return [.. bytes[..at], .. bytes[(at + 1 + dice.Below(bytes.Length - at))..]];
            case 6: // insert a piece of the other bytes
                byte[] piece = Slice(other);
                return [.. bytes[..at], .. piece, .. bytes[(dice.OneIn(2) ? at : Math.Min(at + piece.Length, bytes.Length))..]];
            case 7:
                return WithExtreme(bytes, at & ~3);
            default:
                return WithExtreme(bytes, at & ~1);
        }
    }

    /// <summary>Sets a field of two or four bytes, if one fits, to a limit.</summary>
    private byte[] WithExtreme(byte[] bytes, int at)
    {
        uint value = dice.Pick(s_extremes);
        if (at + sizeof(uint) <= bytes.Length && dice.OneIn(2))
        {
            BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(at), value);
        }
        else if (at + sizeof(ushort) <= bytes.Length)
        {
            BinaryPrimitives.WriteUInt16LittleEndian(bytes.AsSpan(at), (ushort)value);
        }
        else
        {
            bytes[at] = (byte)value;
        }

        return bytes;
    }

    private byte[] Slice(byte[] bytes)
    {
        int at = dice.Below(bytes.Length + 1);
        return bytes[at..(at + dice.Below(bytes.Length - at + 1))];
    }
}
