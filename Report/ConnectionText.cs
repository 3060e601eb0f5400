using System.Text;
using TcpCloser.Diag;
using TcpCloser.Interop;
using TcpCloser.Kill;
using TcpCloser.Proc;
using TcpCloser.Rules;

namespace TcpCloser.Report;

/// <summary>Adds the parts of a connection to a line, a table or a record.</summary>
internal static class ConnectionText
{
    /// <summary><c>127.0.0.1:22 -> 127.0.0.1:51422</c>.</summary>
    public static TextBuffer AddEnds(this TextBuffer text, ConnectionList list, int index) =>
        text.AddLocal(list, index).Add(" -> "u8).AddRemote(list, index);

    public static TextBuffer AddLocal(this TextBuffer text, ConnectionList list, int index) =>
        text.AddEnd(list, index, in list[index].Source, list[index].SourcePort);

    public static TextBuffer AddRemote(this TextBuffer text, ConnectionList list, int index) =>
        text.AddEnd(list, index, in list[index].Destination, list[index].DestinationPort);

    /// <summary>
    /// <c> state=established idle=61234ms uid=0 inode=12345</c>, the names of the cgroup, and <c> netns=</c> if the rule names namespaces.
    /// </summary>
    public static TextBuffer AddFacts(this TextBuffer text, ConnectionList list, int index, CgroupName cgroup)
    {
        ref Connection connection = ref list[index];
        text.Add(" state="u8).Add(StateSet.Name(connection.State)).Add(" idle="u8);
        text.AddAge(connection.IdleMs);
        text.Add(" uid="u8).Add(connection.Uid).Add(" inode="u8).Add(connection.Inode).AddCgroup(cgroup);
        return list.NamespaceOf(index).Name is { } name ? text.Add(" netns="u8).AddUntrusted(name) : text;
    }

    /// <summary>
    /// <c> unit=nginx.service</c>, <c> pod=default/web-0 container=3f2a9c1b7d4e</c>, without what there is not; nothing if the cgroup is
    /// unknown.
    /// </summary>
    private static TextBuffer AddCgroup(this TextBuffer text, CgroupName name)
    {
        _ = name.Unit.Length > 0 ? text.Add(" unit="u8).AddUntrusted(name.Unit) : text;
        _ = name.Pod.Length > 0 ? text.Add(" pod="u8).AddUntrusted(name.Pod) : text;
        return name.Container.Length > 0 ? text.Add(" container="u8).AddUntrusted(name.Container) : text;
    }

    /// <summary><c> pid=12 comm=sshd</c>, and <c> owners=2</c> if it has more holders; nothing if none is known.</summary>
    public static TextBuffer AddHolders(this TextBuffer text, Holders? known, uint inode)
    {
        if (known?.Of(inode) is not { Length: > 0 } holders)
        {
            return text;
        }

        text.Add(" pid="u8).Add((ulong)holders[0].Pid).Add(" comm="u8).AddUntrusted(holders[0].Comm);
        return holders.Length > 1 ? text.Add(" owners="u8).Add((ulong)holders.Length) : text;
    }

    /// <summary>
    /// <c>postgres[12] +2 postgresql.service</c>; <c>uid=1000</c> if the process is unknown; <c>-</c> if there is none. The name of the
    /// cgroup follows if it has one.
    /// </summary>
    public static TextBuffer AddHolderCell(this TextBuffer text, Holders? known, ref readonly Connection connection, CgroupName cgroup)
    {
        SocketHolder[] holders = known?.Of(connection.Inode) ?? [];
        if (holders.Length == 0)
        {
            _ = connection.Inode == 0 ? text.Add("-"u8) : text.Add("uid="u8).Add(connection.Uid);
        }
        else
        {
            text.AddUntrusted(holders[0].Comm).Add("["u8).Add((ulong)holders[0].Pid).Add("]"u8);
            _ = holders.Length > 1 ? text.Add(" +"u8).Add((ulong)holders.Length - 1) : text;
        }

        return cgroup.Shown.Length > 0 ? text.Add(" "u8).AddUntrusted(cgroup.Shown) : text;
    }

    /// <summary><c> rtt=23us snd_wnd=65536 rqueue=0 wqueue=0</c>, without what the kernel does not report.</summary>
    public static TextBuffer AddDetail(this TextBuffer text, TcpDetail detail)
    {
        if (detail.RttMicroseconds != SocketFacts.Unknown)
        {
            text.Add(" rtt="u8).Add(detail.RttMicroseconds).Add("us"u8);
        }

        if (detail.SendWindow != SocketFacts.Unknown)
        {
            text.Add(" snd_wnd="u8).Add(detail.SendWindow);
        }

        return text.Add(" rqueue="u8).Add(detail.ReceiveQueue).Add(" wqueue="u8).Add(detail.SendQueue);
    }

    /// <summary>A time in its two largest units: <c>18m46s</c>, <c>350ms</c>; <c>-</c> if it is unknown.</summary>
    public static TextBuffer AddTime(this TextBuffer text, uint milliseconds)
    {
        uint seconds = milliseconds / 1000;
        return milliseconds == Connection.UnknownAge ? text.Add("-"u8)
            : seconds == 0 ? text.Add(milliseconds).Add("ms"u8)
            : seconds < 60 ? text.Add(seconds).Add("s"u8)
            : seconds < 3600 ? text.Add(seconds / 60).Add("m"u8).Add(seconds % 60, 2).Add("s"u8)
            : seconds < 86_400 ? text.Add(seconds / 3600).Add("h"u8).Add(seconds / 60 % 60, 2).Add("m"u8)
            : text.Add(seconds / 86_400).Add("d"u8).Add(seconds / 3600 % 24, 2).Add("h"u8);
    }

    public static TextBuffer AddAge(this TextBuffer text, uint milliseconds) =>
        milliseconds == Connection.UnknownAge ? text.Add("unknown"u8) : text.Add(milliseconds).Add("ms"u8);

    /// <summary>The address without its port, with <c>%dev</c> if it is link-local.</summary>
    public static TextBuffer AddAddress(this TextBuffer text, ConnectionList list, int index, ref readonly Address address)
    {
        ref Connection connection = ref list[index];
        text.Advance(AddressText.Write(text.Room(AddressText.MaxLength), in address, connection.Family));
        uint device = connection.DeviceOf(in address);
        if (device != 0)
        {
            byte[] name = list.NamespaceOf(index).DeviceName(device);
            text.Add("%"u8);
            _ = name.Length > 0 ? text.AddUntrusted(name) : text.Add(device);
        }

        return text;
    }

    /// <summary><c>skipped 10.0.0.1:22 -> 10.0.0.2:5000 reason=not_found cookie=1a</c>: a named connection that did not match.</summary>
    public static string DescribeNotFound(NamedConnections named, int index)
    {
        ref readonly NamedConnection connection = ref named[index];
        NamedScope scope = named.Scopes[connection.Scope];
        TextBuffer text = new TextBuffer(256).Add("skipped "u8).AddEnd(in connection.Source, connection.SourcePort, scope.Device).Add(" -> "u8)
            .AddEnd(in connection.Destination, connection.DestinationPort, device: null).Add(" reason=not_found"u8);
        if (connection.Cookie != 0)
        {
            text.Add(" cookie="u8).AddHexadecimal(connection.Cookie);
        }

        if (scope.Netns is not null)
        {
            text.Add(" netns="u8).AddUntrusted(scope.Netns);
        }

        return Encoding.UTF8.GetString(text.Written);
    }

    private static TextBuffer AddEnd(this TextBuffer text, ref readonly Address address, ushort port, string? device)
    {
        bool isIPv4 = address.IsMappedIPv4;
        text.Add(isIPv4 ? ""u8 : "["u8);
        text.Advance(AddressText.Write(text.Room(AddressText.MaxLength), in address, Socket.AF_INET6));
        if (device is not null)
        {
            text.Add("%"u8).AddUntrusted(device);
        }

        return text.Add(isIPv4 ? ":"u8 : "]:"u8).Add(port);
    }

    private static TextBuffer AddEnd(this TextBuffer text, ConnectionList list, int index, ref readonly Address address, ushort port) =>
        list[index].IsIPv4
            ? text.AddAddress(list, index, in address).Add(":"u8).Add(port)
            : text.Add("["u8).AddAddress(list, index, in address).Add("]:"u8).Add(port);
}
