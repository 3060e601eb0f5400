using System.Globalization;
using System.Text;
using TcpCloser.Diag;
using TcpCloser.Interop;
using TcpCloser.Kill;
using TcpCloser.Proc;
using TcpCloser.Rules;

namespace TcpCloser.Report;

/// <content>The values of the fields. Each method adds one, and returns true: the record has the field.</content>
internal sealed partial class JsonRecords
{
    private readonly TextBuffer _value = new();

    private bool Address(ref readonly ConnectionItem item, ref readonly Address address)
    {
        _value.Clear();
        return Text(_value.AddAddress(item.List, item.Index, in address).Written);
    }

    /// <summary>In hexadecimal, as <c>ss -e</c> prints it.</summary>
    private bool Cookie(ulong cookie)
    {
        _out.Add("\""u8).AddHexadecimal(cookie).Add("\""u8);
        return true;
    }

    private bool OutcomeName(Outcome outcome) =>
        Word(outcome == Outcome.Pending && _method == Method.Keepalive ? "would_cure"u8 : OutcomeInfo.Of(outcome).Name);

    private bool Owners(Holders known, uint inode)
    {
        SocketHolder[] holders = known.Of(inode);
        if (inode != 0 && holders.Length == 0 && known.HasUnreadable)
        {
            _out.Add("null"u8);
            return true;
        }

        _out.Add("["u8);
        for (int i = 0; i < holders.Length; i++)
        {
            _out.Add(i == 0 ? "{"u8 : ",{"u8);
            Add(s_owner, in holders[i], _out.Length);
            _out.Add("}"u8);
        }

        _out.Add("]"u8);
        return true;
    }

    private bool Number(ulong value)
    {
        _out.Add(value);
        return true;
    }

    private bool NumberOrNull(uint value)
    {
        _ = value == SocketFacts.Unknown ? _out.Add("null"u8) : _out.Add(value);
        return true;
    }

    private bool Boolean(bool value)
    {
        _out.Add(value ? "true"u8 : "false"u8);
        return true;
    }

    /// <summary>A word of our own, which needs no escapes.</summary>
    private bool Word(ReadOnlySpan<byte> value)
    {
        _out.Add("\""u8).Add(value).Add("\""u8);
        return true;
    }

    private bool Word(string value)
    {
        _out.Add("\""u8).Add(value).Add("\""u8);
        return true;
    }

    /// <summary>Text from outside; a record without it does not have the field.</summary>
    private bool TextIfAny(ReadOnlySpan<byte> value) => !value.IsEmpty && Text(value);

    private bool Text(string value) => Text(Encoding.UTF8.GetBytes(value));

    /// <summary>
    /// Any bytes, escaped as JSON requires. A byte that is not UTF-8 becomes the text <c>\xHH</c>, and so does a backslash, so that this
    /// text is unambiguous.
    /// </summary>
    private bool Text(ReadOnlySpan<byte> value)
    {
        _out.Add("\""u8);
        while (!value.IsEmpty)
        {
            bool valid = Rune.DecodeFromUtf8(value, out Rune rune, out int length) == System.Buffers.OperationStatus.Done;
            if (!valid || value[0] == '\\')
            {
                length = 1;
                _out.Add("\\\\x"u8).Add(value[0].ToString("X2", CultureInfo.InvariantCulture));
            }
            else if (rune.Value == '"')
            {
                _out.Add("\\"u8).Add(value[..1]);
            }
            else if (rune.Value is < 0x20 or 0x7f || Escape.PlainLength(value) == 0 && rune.Value > 0x7f)
            {
                _out.Add("\\u"u8).Add(rune.Value.ToString("x4", CultureInfo.InvariantCulture));
            }
            else
            {
                _out.Add(value[..length]);
            }

            value = value[length..];
        }

        _out.Add("\""u8);
        return true;
    }
}
