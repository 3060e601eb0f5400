using System.Text;
using TcpCloser.Interop;
using TcpCloser.Rules;

namespace TcpCloser.Cli;

/// <summary>
/// Reads a record of <c>--json</c> that names a connection, in any layout, because jq(1) changes it. Only the fields that identify the
/// connection are read.
/// </summary>
internal static class ConnectionRecord
{
    /// <summary>The outcomes of connections that a run left alone on purpose.</summary>
    private static readonly string[] s_leftAlone =
    [
        "busy", "beyond_limit", "no_clock", "unproved", "unasked", "answered", "address_present", "has_keepalive", "has_user_timeout",
        "probes_outstanding", "cannot_restore", "subflow_busy", "winding_down", "spared", "kept", "over_limit", "too_new", "excluded",
    ];

    /// <summary>Reads an object.</summary>
    /// <param name="record">The object, of the length that <see cref="JsonText.LengthOf"/> returned.</param>
    /// <param name="scopes">Receives the network namespace or the device, if the record has one.</param>
    /// <param name="connection">The connection; meaningless if the record names none.</param>
    /// <param name="advice">
    /// Why the record names no connection; null: it is the summary of a run, a process that was signalled, or a connection that the run left
    /// alone.
    /// </param>
    /// <returns>Whether the record names a connection.</returns>
    public static bool TryParse(ReadOnlySpan<byte> record, NamedConnections scopes, out NamedConnection connection, out string? advice)
    {
        connection = default;
        ReadOnlySpan<byte> type = default;
        ReadOnlySpan<byte> netns = default;
        ReadOnlySpan<byte> outcome = default;
        ReadOnlySpan<byte> sourceDevice = default;
        ReadOnlySpan<byte> destinationDevice = default;
        var seen = Fields.None;
        var rest = record[1..];
        advice = "not a record: the JSON is invalid";
        bool isFirst = true;
        while (!JsonText.TrySkip(ref rest, (byte)'}'))
        {
            if ((!isFirst && !JsonText.TrySkip(ref rest, (byte)',')) || !JsonText.TryTakeString(ref rest, out ReadOnlySpan<byte> name)
                || !JsonText.TrySkip(ref rest, (byte)':') || !JsonText.TryTakeValue(ref rest, out ReadOnlySpan<byte> value))
            {
                return false;
            }

            isFirst = false;
            if (name.SequenceEqual("type"u8))
            {
                type = JsonText.Unquoted(value);
            }
            else if (name.SequenceEqual("netns"u8))
            {
                netns = value;
            }
            else if (name.SequenceEqual("outcome"u8))
            {
                outcome = JsonText.Unquoted(value);
            }
            else if (name.SequenceEqual("local_address"u8))
            {
                seen = With(seen, Fields.LocalAddress, TryParseAddress(value, out connection.Source, out sourceDevice));
            }
            else if (name.SequenceEqual("remote_address"u8))
            {
                seen = With(seen, Fields.RemoteAddress, TryParseAddress(value, out connection.Destination, out destinationDevice));
            }
            else if (name.SequenceEqual("local_port"u8))
            {
                seen = With(seen, Fields.LocalPort, TryParsePort(value, out connection.SourcePort));
            }
            else if (name.SequenceEqual("remote_port"u8))
            {
                seen = With(seen, Fields.RemotePort, TryParsePort(value, out connection.DestinationPort));
            }
            else if (name.SequenceEqual("cookie"u8) && !ConnectionLine.TryParseCookie(JsonText.Unquoted(value), out connection.Cookie))
            {
                advice = "the cookie of this record is not a hexadecimal number from 1 to ffffffffffffffff";
                return false;
            }
        }

        if (type.SequenceEqual("summary"u8) || type.SequenceEqual("totals"u8) || type.SequenceEqual("signal"u8))
        {
            advice = null;
            return false;
        }

        if (seen != Fields.All)
        {
            advice = "this record lacks local_address, local_port, remote_address or remote_port, or their values are invalid";
            return false;
        }

        if (IsLeftAlone(outcome))
        {
            scopes.LeftAlone++;
            advice = null;
            return false;
        }

        byte[]? network = JsonText.Unescape(JsonText.Unquoted(netns));
        if (network is null || (network.Length == 0 && !netns.IsEmpty))
        {
            advice = "the netns of this record is invalid";
            return false;
        }

        // With a cookie, the device is not needed.
        ReadOnlySpan<byte> device = connection.Cookie != 0 ? default : sourceDevice.IsEmpty ? destinationDevice : sourceDevice;
        connection.Scope = scopes.ScopeOf(network, device);
        advice = null;
        return true;
    }

    /// <summary>Whether the outcome of a record is that the run left the connection alone: busy, alive, kept, spared and so on.</summary>
    public static bool IsLeftAlone(ReadOnlySpan<byte> outcome)
    {
        foreach (string word in s_leftAlone)
        {
            if (Ascii.Equals(outcome, word))
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>Adds a field, or removes it if its value is invalid: the last of several fields with the same name counts.</summary>
    private static Fields With(Fields seen, Fields field, bool isValid) => isValid ? seen | field : seen & ~field;

    private static bool TryParseAddress(ReadOnlySpan<byte> value, out Address address, out ReadOnlySpan<byte> device)
    {
        ReadOnlySpan<byte> text = JsonText.Unquoted(value);
        int percent = text.IndexOf((byte)'%');
        device = percent < 0 ? default : text[(percent + 1)..];
        return ConnectionLine.TryParseAddress(percent < 0 ? text : text[..percent], out address);
    }

    /// <summary>Reads a port. That of a listener's peer is 0.</summary>
    private static bool TryParsePort(ReadOnlySpan<byte> value, out ushort port) =>
        ConnectionLine.TryParsePort(value, out port) || value.SequenceEqual("0"u8);

    /// <summary>The fields that a connection needs.</summary>
    [Flags]
    private enum Fields
    {
        None,
        LocalAddress = 1,
        RemoteAddress = 2,
        LocalPort = 4,
        RemotePort = 8,
        All = LocalAddress | RemoteAddress | LocalPort | RemotePort,
    }
}
