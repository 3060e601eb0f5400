using TcpCloser.Cli;
using TcpCloser.Diag;
using TcpCloser.Interop;
using TcpCloser.Proc;

namespace TcpCloser.Report;

/// <summary>Connections as text.</summary>
internal static class ConnectionText
{
    /// <summary><c>127.0.0.1:22 -> 127.0.0.1:51422</c>.</summary>
    public static TextBuffer AddEnds(this TextBuffer text, ConnectionList list, int index) =>
        text.AddLocal(list, index).Add(" -> "u8).AddRemote(list, index);

    public static TextBuffer AddLocal(this TextBuffer text, ConnectionList list, int index) =>
        text.AddEnd(list, index, in list[index].Source, list[index].SourcePort);

    public static TextBuffer AddRemote(this TextBuffer text, ConnectionList list, int index) =>
        text.AddEnd(list, index, in list[index].Destination, list[index].DestinationPort);

    /// <summary><c>state=established idle=61234ms uid=0 inode=12345</c>, and the network namespace where others are looked at.</summary>
    public static TextBuffer AddFacts(this TextBuffer text, ConnectionList list, int index)
    {
        ref Connection connection = ref list[index];
        text.Add(" state="u8).Add(StateList.Name(connection.State)).Add(" idle="u8);
        text.AddAge(connection.IdleMs);
        text.Add(" uid="u8).Add(connection.Uid).Add(" inode="u8).Add(connection.Inode);
        return list.NamespaceOf(index).Name is { } name ? text.Add(" netns="u8).AddUntrusted(name) : text;
    }

    /// <summary><c> pid=12 comm=sshd</c>, and how many hold it where it is not one; nothing where none is known.</summary>
    public static TextBuffer AddOwners(this TextBuffer text, ConnectionList list, int index)
    {
        if (list.Owners?.Of(list[index].Inode) is not { Length: > 0 } owners)
        {
            return text;
        }

        text.Add(" pid="u8).Add((ulong)owners[0].Pid).Add(" comm="u8).AddUntrusted(owners[0].Comm);
        return owners.Length > 1 ? text.Add(" owners="u8).Add((ulong)owners.Length) : text;
    }

    /// <summary><c>sshd[12] +2</c>; the user where the process cannot be seen; <c>-</c> where there is none.</summary>
    public static TextBuffer AddOwnerCell(this TextBuffer text, ConnectionList list, int index)
    {
        ref Connection connection = ref list[index];
        SocketHolder[] owners = list.Owners?.Of(connection.Inode) ?? [];
        if (owners.Length == 0)
        {
            return connection.Inode == 0 ? text.Add("-"u8) : text.Add("uid="u8).Add(connection.Uid);
        }

        text.AddUntrusted(owners[0].Comm).Add("["u8).Add((ulong)owners[0].Pid).Add("]"u8);
        return owners.Length > 1 ? text.Add(" +"u8).Add((ulong)owners.Length - 1) : text;
    }

    /// <summary><c> rtt=23us snd_wnd=65536 rqueue=0 wqueue=0</c>; what the kernel does not tell is left out.</summary>
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

    /// <summary>A time as one reads it, by its two largest units: <c>18m46s</c>, <c>350ms</c>; <c>-</c> where it is unknown.</summary>
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

    /// <summary>The address alone, with <c>%dev</c> where it is link-local.</summary>
    public static TextBuffer AddAddress(this TextBuffer text, ConnectionList list, int index, ref readonly Address address)
    {
        ref Connection connection = ref list[index];
        text.Advance(AddressText.Write(text.Room(AddressText.MaxLength), in address, connection.Family));
        if (connection.Interface != 0 && connection.Family == Socket.AF_INET6 && address.IsLinkLocalIPv6)
        {
            byte[] device = list.NamespaceOf(index).DeviceName(connection.Interface);
            text.Add("%"u8);
            _ = device.Length > 0 ? text.AddUntrusted(device) : text.Add(connection.Interface);
        }

        return text;
    }

    private static TextBuffer AddEnd(this TextBuffer text, ConnectionList list, int index, ref readonly Address address, ushort port) =>
        list[index].IsIPv4
            ? text.AddAddress(list, index, in address).Add(":"u8).Add(port)
            : text.Add("["u8).AddAddress(list, index, in address).Add("]:"u8).Add(port);
}
