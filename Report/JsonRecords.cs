using System.Globalization;
using System.Text;
using TcpCloser.Cli;
using TcpCloser.Diag;
using TcpCloser.Interop;
using TcpCloser.Kill;
using TcpCloser.Proc;

namespace TcpCloser.Report;

/// <summary><c>--json</c>: one object a line to stdout (RFC 8259, UTF-8). Numbers are numbers, times are in ms.</summary>
/// <param name="stdout">Where they go.</param>
/// <param name="rule">What the run is for.</param>
internal sealed class JsonRecords(OutputStream stdout, Rule rule) : IObserver
{
    private const int FlushAt = 48 * 1024;

    private readonly TextBuffer _out = new(FlushAt + 16 * 1024);
    private readonly TextBuffer _value = new();
    private readonly byte[]? _rule = rule.Name is null ? null : Encoding.UTF8.GetBytes(rule.Name);
    private readonly byte[] _method = Encoding.UTF8.GetBytes(RunText.MethodOf(rule.Method));
    private readonly Timestamp _time = new();

    public void Completed(ConnectionList connections, int index) => Connection(connections, index);

    public void WouldClose(ConnectionList candidates, ICloseMethod method)
    {
        for (int i = 0; i < candidates.Count; i++)
        {
            Connection(candidates, i);
        }
    }

    public void End(ExitStatus status, Counts counts, TimeSpan time, bool isQuiet)
    {
        if (!isQuiet)
        {
            Summary("summary"u8, counts, rounds: null, time);
        }
    }

    public void Totals(Counts totals, long rounds, TimeSpan time) => Summary("totals"u8, totals, rounds, time);

    /// <summary>A connection, with what became of it and, where that was looked up, whose it is.</summary>
    private void Connection(ConnectionList list, int i)
    {
        ref Connection connection = ref list[i];
        Begin("connection"u8);
        if (list.NamespaceOf(i).Name is { } network)
        {
            Text("netns"u8, network);
        }

        Word("family"u8, connection.IsIPv4 ? "ipv4"u8 : "ipv6"u8);
        _value.Clear();
        Text("local_address"u8, _value.AddAddress(list, i, in connection.Source).Written);
        Number("local_port"u8, connection.SourcePort);
        _value.Clear();
        Text("remote_address"u8, _value.AddAddress(list, i, in connection.Destination).Written);
        Number("remote_port"u8, connection.DestinationPort);
        Word("state"u8, StateList.Name(connection.State));
        NumberOrNull("idle_ms"u8, connection.IdleMs);
        Number("uid"u8, connection.Uid);
        Number("inode"u8, connection.Inode);
        if (list.Details.Count > 0)
        {
            Detail(list.Details[i]);
        }

        OutcomeInfo info = OutcomeInfo.Of(connection.Outcome);
        Word("method"u8, connection.Outcome == Outcome.Disconnected ? "disconnect"u8 : _method);
        Word("outcome"u8, connection.Outcome == Outcome.Idle && rule.Method == Method.Keepalive ? "would_cure"u8 : info.Name);
        if (info.ReasonFor(in connection) is { } reason)
        {
            Text("reason"u8, Encoding.UTF8.GetBytes(reason));
        }

        if (list.Owners is { } owners)
        {
            Owners(owners, in connection);
        }

        End();
    }

    public void Signalled(SocketHolder process, int signal)
    {
        Begin("signal"u8);
        Number("pid"u8, (ulong)process.Pid);
        Text("comm"u8, process.Comm);
        Text("signal"u8, Encoding.UTF8.GetBytes(Signal.NameOf(signal)));
        Number("connections"u8, (ulong)process.Sockets.Count);
        End();
    }

    /// <param name="type">What kind of sum it is.</param>
    /// <param name="counts">The counts.</param>
    /// <param name="rounds">Of how many rounds; null: of one.</param>
    /// <param name="time">How long it took.</param>
    private void Summary(ReadOnlySpan<byte> type, Counts counts, long? rounds, TimeSpan time)
    {
        Begin(type);
        if (rounds is { } count)
        {
            Number("rounds"u8, (ulong)count);
        }

        Number("matched"u8, (ulong)counts.Matched);
        Number("idle"u8, (ulong)counts.Idle);
        Number("closed"u8, (ulong)counts.Closed);
        Number("cured"u8, (ulong)counts.Cured);
        Number("vanished"u8, (ulong)counts.Vanished);
        Number("spared"u8, (ulong)counts.Spared);
        Number("failed"u8, (ulong)counts.Failed);
        Number("time_ms"u8, (ulong)time.TotalMilliseconds);
        End();
    }

    /// <summary>The connections that have a key in common.</summary>
    public void Group(GroupKey by, Group group)
    {
        Begin("group"u8);
        Text("by"u8, Encoding.UTF8.GetBytes(GroupTable.WordOf(by)));
        Text("key"u8, group.Key);
        Number("total"u8, (ulong)group.Total);
        Number("below_1m"u8, (ulong)group.Counts[0]);
        Number("from_1m"u8, (ulong)group.Counts[1]);
        Number("from_10m"u8, (ulong)group.Counts[2]);
        Number("from_1h"u8, (ulong)group.Counts[3]);
        Number("from_1d"u8, (ulong)group.Counts[4]);
        NumberOrNull("oldest_ms"u8, group.Oldest);
        End();
    }

    /// <summary>One thing that <c>--check</c> looked at.</summary>
    public void Ability(string name, bool possible, string why)
    {
        Begin("check"u8);
        Text("name"u8, Encoding.UTF8.GetBytes(name));
        Key("possible"u8);
        _out.Add(possible ? "true"u8 : "false"u8);
        if (why.Length > 0)
        {
            Text("reason"u8, Encoding.UTF8.GetBytes(why));
        }

        End();
    }

    public void Flush()
    {
        if (stdout.Errno == 0)
        {
            _ = stdout.Write(_out.Written);
        }

        _out.Clear();
        _time.Forget();
    }

    private void Detail(TcpDetail detail)
    {
        NumberOrNull("last_recv_ms"u8, detail.LastRecvMs);
        NumberOrNull("last_send_ms"u8, detail.LastSendMs);
        NumberOrNull("last_ack_ms"u8, detail.LastAckMs);
        NumberOrNull("rtt_us"u8, detail.RttMicroseconds);
        NumberOrNull("snd_wnd"u8, detail.SendWindow);
        Number("rqueue"u8, detail.ReceiveQueue);
        Number("wqueue"u8, detail.SendQueue);
    }

    private void Owners(SocketOwners owners, ref readonly Connection connection)
    {
        Key("owners"u8);
        SocketHolder[] holders = owners.Of(connection.Inode);
        if (connection.Inode != 0 && holders.Length == 0 && owners.Unreadable.Count > 0)
        {
            _out.Add("null"u8);
            return;
        }

        _out.Add("["u8);
        string separator = "";
        foreach (SocketHolder holder in holders)
        {
            _out.Add(separator).Add("{\"pid\":"u8).Add((ulong)holder.Pid);
            Text("comm"u8, holder.Comm);
            if (holder.OtherConnections is { } others)
            {
                Number("other_connections"u8, (ulong)others);
            }

            Key("protected"u8);
            _out.Add(holder.Protection is null ? "false"u8 : "true"u8).Add("}"u8);
            separator = ",";
        }

        _out.Add("]"u8);
    }

    private void Begin(ReadOnlySpan<byte> type)
    {
        _out.Add("{\"time\":\""u8).Add(_time.Now).Add("\",\"type\":\""u8).Add(type).Add("\""u8);
        if (_rule is not null)
        {
            Text("rule"u8, _rule);
        }
    }

    private void End()
    {
        _out.Add("}\n"u8);
        if (_out.Length >= FlushAt)
        {
            Flush();
        }
    }

    private void Key(ReadOnlySpan<byte> name) => _out.Add(",\""u8).Add(name).Add("\":"u8);

    private void Number(ReadOnlySpan<byte> name, ulong value)
    {
        Key(name);
        _out.Add(value);
    }

    private void NumberOrNull(ReadOnlySpan<byte> name, uint value)
    {
        Key(name);
        _ = value == SocketFacts.Unknown ? _out.Add("null"u8) : _out.Add(value);
    }

    /// <summary>A value of our own, which needs no escapes.</summary>
    private void Word(ReadOnlySpan<byte> name, ReadOnlySpan<byte> value)
    {
        Key(name);
        _out.Add("\""u8).Add(value).Add("\""u8);
    }

    /// <summary>
    /// A value of any bytes: as JSON escapes it, and each byte that is no UTF-8 as the text <c>\xHH</c>. So is a backslash, for that
    /// text to mean nothing else.
    /// </summary>
    private void Text(ReadOnlySpan<byte> name, ReadOnlySpan<byte> value)
    {
        Key(name);
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
    }
}
