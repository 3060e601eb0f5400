using System.Runtime.CompilerServices;
using System.Text;
using TcpCloser.Diag;
using TcpCloser.Interop;
using TcpCloser.Kill;
using TcpCloser.Proc;
using TcpCloser.Rules;

namespace TcpCloser.Report;

/// <summary>
/// <c>--json</c>: one object a line to stdout (RFC 8259, UTF-8). Numbers are numbers, times are in ms. Each type of record is a table of
/// its fields, in their order; docs/records.schema.json and docs/records.md are tested against these tables.
/// </summary>
internal sealed partial class JsonRecords(OutputStream stdout, Rule rule) : IObserver
{
    private const int FlushAt = 48 * 1024;

    private static readonly Field<string>[] s_common =
    [
        new("time", static (json, in _) => json.Word(json._time.Now)),
        new("type", static (json, in type) => json.Word(type)),
        new("rule", static (json, in _) => json._rule is { } name && json.Text(name)),
    ];

    private static readonly Field<ConnectionItem>[] s_connection =
    [
        new("netns", static (json, in c) => c.List.NamespaceOf(c.Index).Name is { } name && json.Text(name)),
        new("family", static (json, in c) => json.Word(c.Connection.IsIPv4 ? "ipv4"u8 : "ipv6"u8)),
        new("local_address", static (json, in c) => json.Address(in c, in c.Connection.Source)),
        new("local_port", static (json, in c) => json.Number(c.Connection.SourcePort)),
        new("remote_address", static (json, in c) => json.Address(in c, in c.Connection.Destination)),
        new("remote_port", static (json, in c) => json.Number(c.Connection.DestinationPort)),
        new("state", static (json, in c) => json.Word(StateSet.Name(c.Connection.State))),
        new("idle_ms", static (json, in c) => json.NumberOrNull(c.Connection.IdleMs)),
        new("uid", static (json, in c) => json.Number(c.Connection.Uid)),
        new("inode", static (json, in c) => json.Number(c.Connection.Inode)),
        new("cookie", static (json, in c) => json.Cookie(c.Connection.Cookie)),
        new("last_recv_ms", static (json, in c) => c.HasDetail && json.NumberOrNull(c.Detail.LastRecvMs)),
        new("last_send_ms", static (json, in c) => c.HasDetail && json.NumberOrNull(c.Detail.LastSendMs)),
        new("last_ack_ms", static (json, in c) => c.HasDetail && json.NumberOrNull(c.Detail.LastAckMs)),
        new("rtt_us", static (json, in c) => c.HasDetail && json.NumberOrNull(c.Detail.RttMicroseconds)),
        new("snd_wnd", static (json, in c) => c.HasDetail && json.NumberOrNull(c.Detail.SendWindow)),
        new("rqueue", static (json, in c) => c.HasDetail && json.Number(c.Detail.ReceiveQueue)),
        new("wqueue", static (json, in c) => c.HasDetail && json.Number(c.Detail.SendQueue)),
        new("method", static (json, in c) => json.Word(MethodName.Of(c.Connection.By == Method.Auto ? json._method : c.Connection.By))),
        new("outcome", static (json, in c) => json.OutcomeName(c.Connection.Outcome)),
        new("reason", static (json, in c) => OutcomeInfo.Of(c.Connection.Outcome).ReasonFor(in c.Connection) is { } reason && json.Text(reason)),
        new("unit", static (json, in c) => json.TextIfAny(c.Cgroup.Unit)),
        new("pod", static (json, in c) => json.TextIfAny(c.Cgroup.Pod)),
        new("container", static (json, in c) => json.TextIfAny(c.Cgroup.Container)),
        new("cgroup", static (json, in c) => json.TextIfAny(c.Cgroup.Path)),
        new("owners", static (json, in c) => json._round?.Holders is { Known: not Known.None } known && json.Owners(known, c.Connection.Inode)),
    ];

    /// <summary>An object in <c>owners</c>.</summary>
    private static readonly Field<SocketHolder>[] s_owner =
    [
        new("pid", static (json, in owner) => json.Number((ulong)owner.Pid)),
        new("comm", static (json, in owner) => json.Text(owner.Comm)),
        new("other_connections", static (json, in owner) => owner.OtherConnections is { } others && json.Number((ulong)others)),
        new("protected", static (json, in owner) => json.Boolean(owner.Protection is not null)),
    ];

    private static readonly Field<SignalItem>[] s_signal =
    [
        new("pid", static (json, in signal) => json.Number((ulong)signal.Process.Pid)),
        new("comm", static (json, in signal) => json.Text(signal.Process.Comm)),
        new("signal", static (json, in signal) => json.Word(Signal.NameOf(signal.Number))),
        new("connections", static (json, in signal) => json.Number((ulong)signal.Process.Sockets.Count)),
    ];

    /// <summary>Summary and totals.</summary>
    private static readonly Field<SumItem>[] s_sum =
    [
        new("rounds", static (json, in sum) => sum.Rounds is { } rounds && json.Number((ulong)rounds)),
        new("matched", static (json, in sum) => json.Number((ulong)sum.Counts.Matched)),
        new("idle", static (json, in sum) => json.Number((ulong)sum.Counts.Idle)),
        new("closed", static (json, in sum) => json.Number((ulong)sum.Counts.Closed)),
        new("cured", static (json, in sum) => json.Number((ulong)sum.Counts.Cured)),
        new("vanished", static (json, in sum) => json.Number((ulong)sum.Counts.Vanished)),
        new("spared", static (json, in sum) => json.Number((ulong)sum.Counts.Spared)),
        new("failed", static (json, in sum) => json.Number((ulong)sum.Counts.Failed)),
        new("answered", static (json, in sum) => sum.Counts.HasVerdicts && json.Number((ulong)sum.Counts.Answered)),
        new("unproved", static (json, in sum) => sum.Counts.HasVerdicts && json.Number((ulong)sum.Counts.Unproved)),
        new("unasked", static (json, in sum) => sum.Counts.HasVerdicts && json.Number((ulong)sum.Counts.Unasked)),
        new("not_found", static (json, in sum) => sum.Counts.HasNotFound && json.Number((ulong)sum.Counts.NotFound)),
        new("over_limit", static (json, in sum) => sum.Counts.HasLimit && json.Number((ulong)sum.Counts.OverLimit)),
        new("time_ms", static (json, in sum) => json.Number(sum.TimeMs)),
    ];

    private static readonly Field<GroupItem>[] s_group =
    [
        new("by", static (json, in item) => json.Word(GroupKeyName.Of(item.By))),
        new("key", static (json, in item) => json.Text(item.Group.Key)),
        new("total", static (json, in item) => json.Number((ulong)item.Group.Total)),
        new("answered", static (json, in item) => item.HasVerdicts && json.Number((ulong)item.Group.Answered)),
        new("silent", static (json, in item) => item.HasVerdicts && json.Number((ulong)item.Group.Silent)),
        new("unproved", static (json, in item) => item.HasVerdicts && json.Number((ulong)item.Group.Unproved)),
        new("unasked", static (json, in item) => item.HasVerdicts && json.Number((ulong)item.Group.Unasked)),
        new("below_1m", static (json, in item) => json.Number((ulong)item.Group.Counts[0])),
        new("from_1m", static (json, in item) => json.Number((ulong)item.Group.Counts[1])),
        new("from_10m", static (json, in item) => json.Number((ulong)item.Group.Counts[2])),
        new("from_1h", static (json, in item) => json.Number((ulong)item.Group.Counts[3])),
        new("from_1d", static (json, in item) => json.Number((ulong)item.Group.Counts[4])),
        new("oldest_ms", static (json, in item) => json.NumberOrNull(item.Group.Oldest)),
    ];

    private static readonly Field<CheckItem>[] s_check =
    [
        new("name", static (json, in check) => json.Text(check.Name)),
        new("answer", static (json, in check) => json.Word(check.Answer)),
        new("possible", static (json, in check) => json.Boolean(check.IsPossible)),
        new("reason", static (json, in check) => check.Why.Length > 0 && json.Text(check.Why)),
    ];

    private readonly TextBuffer _out = new(FlushAt + 16 * 1024);
    private readonly byte[]? _rule = rule.Name is null ? null : Encoding.UTF8.GetBytes(rule.Name);
    private readonly Method _method = rule.Method;
    private readonly Timestamp _time = new();
    private RoundContext? _round;

    public void Begin(RoundContext round) => _round = round;

    /// <summary>Adds the value of a field. Returns false if this record does not have the field.</summary>
    private delegate bool AddValue<T>(JsonRecords json, in T item);

    /// <summary>Each table with its name in the schema, and the names of its fields.</summary>
    public static IReadOnlyList<(string Table, string[] Fields)> Tables =>
    [
        ("common", Names(s_common)), ("connection", Names(s_connection)), ("owner", Names(s_owner)), ("signal", Names(s_signal)),
        ("sum", Names(s_sum)), ("group", Names(s_group)), ("check", Names(s_check)),
    ];

    public void Completed(ConnectionList connections, int index) => Record("connection", s_connection, new ConnectionItem(connections, index, _round?.NameOfCgroup(connections, index) ?? CgroupName.Unknown));

    public void WouldClose(ConnectionList candidates, ICloseMethod method)
    {
        for (int i = 0; i < candidates.Count; i++)
        {
            Completed(candidates, i);
        }
    }

    public void Signalled(SocketHolder process, int signal) => Record("signal", s_signal, new SignalItem(process, signal));

    public void End(ExitStatus status, Counts counts, TimeSpan time, bool isQuiet)
    {
        if (!isQuiet)
        {
            Record("summary", s_sum, new SumItem(counts, rounds: null, time));
        }
    }

    public void Totals(Counts totals, long rounds, TimeSpan time) => Record("totals", s_sum, new SumItem(totals, rounds, time));

    /// <summary>Prints connections that have a key in common.</summary>
    public void Group(GroupKey by, Group group, bool hasVerdicts) => Record("group", s_group, new GroupItem(by, group, hasVerdicts));

    /// <summary>Prints one result of <c>--check</c>.</summary>
    public void Ability(string name, string answer, bool isPossible, string why) =>
        Record("check", s_check, new CheckItem(name, answer, isPossible, why));

    public void Flush()
    {
        if (stdout.Errno == 0)
        {
            _ = stdout.Write(_out.Written);
        }

        _out.Clear();
        _time.Forget();
    }

    private static string[] Names<T>(Field<T>[] fields) => Array.ConvertAll(fields, static field => field.Name);

    private void Record<T>(string type, Field<T>[] fields, in T item)
    {
        int start = Begin(type);
        Add(fields, in item, start);
        End();
    }

    private int Begin(string type)
    {
        _out.Add("{"u8);
        int start = _out.Length;
        Add(s_common, in type, start);
        return start;
    }

    private void End()
    {
        _out.Add("}\n"u8);
        if (_out.Length >= FlushAt)
        {
            Flush();
        }
    }

    /// <summary>Adds the fields that the item has.</summary>
    /// <param name="start">Where the first field of the object is, which has no comma in front of it.</param>
    private void Add<T>(Field<T>[] fields, in T item, int start)
    {
        foreach (Field<T> field in fields)
        {
            int length = _out.Length;
            _out.Add(length == start ? field.Key.AsSpan(1) : field.Key);
            if (!field.Add(this, in item))
            {
                _out.Truncate(length);
            }
        }
    }

    [MethodImpl(MethodImplOptions.NoInlining)] // not once for each of the fields
    private static byte[] KeyOf(string name) => Encoding.UTF8.GetBytes(",\"" + name + "\":");

    /// <summary>A field of a record.</summary>
    private readonly struct Field<T>(string name, AddValue<T> add)
    {
        public string Name { get; } = name;

        /// <summary><c>,"name":</c></summary>
        public byte[] Key { get; } = KeyOf(name);

        public AddValue<T> Add { get; } = add;
    }

    // The only item that is a struct: there is one for each connection.
    private readonly struct ConnectionItem(ConnectionList list, int index, CgroupName cgroup)
    {
        public ConnectionList List => list;

        public int Index => index;

        public ref Connection Connection => ref list[index];

        public CgroupName Cgroup => cgroup;

        public bool HasDetail => list.Level == DetailLevel.TcpInfo;

        public TcpDetail Detail => list.Details[index];
    }

    private sealed class SignalItem(SocketHolder process, int number)
    {
        public SocketHolder Process => process;

        public int Number => number;
    }

    /// <param name="rounds">The number of rounds of a service; null: the summary of one round.</param>
    private sealed class SumItem(Counts counts, long? rounds, TimeSpan time)
    {
        public Counts Counts => counts;

        public long? Rounds => rounds;

        public ulong TimeMs { get; } = (ulong)time.TotalMilliseconds;
    }

    /// <param name="hasVerdicts">Whether the peers were probed.</param>
    private sealed class GroupItem(GroupKey by, Group group, bool hasVerdicts)
    {
        public GroupKey By => by;

        public Group Group => group;

        public bool HasVerdicts => hasVerdicts;
    }

    private sealed class CheckItem(string name, string answer, bool isPossible, string why)
    {
        public string Name => name;

        public string Answer => answer;

        public bool IsPossible => isPossible;

        public string Why => why;
    }
}
