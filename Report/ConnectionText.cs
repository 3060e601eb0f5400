using System.Runtime.InteropServices;
using TcpCloser.Cli;
using TcpCloser.Diag;
using TcpCloser.Interop;

namespace TcpCloser.Report;

/// <summary>Connections as text.</summary>
internal static class ConnectionText
{
    /// <summary><c>127.0.0.1:22 -> 127.0.0.1:51422</c>.</summary>
    public static TextBuffer AddEnds(this TextBuffer text, ref readonly Connection connection) =>
        text.AddLocal(in connection).Add(" -> "u8).AddRemote(in connection);

    public static TextBuffer AddLocal(this TextBuffer text, ref readonly Connection connection) =>
        text.AddEnd(in connection, in connection.Source, connection.SourcePort);

    public static TextBuffer AddRemote(this TextBuffer text, ref readonly Connection connection) =>
        text.AddEnd(in connection, in connection.Destination, connection.DestinationPort);

    /// <summary><c>state=established idle=61234ms uid=0 inode=12345</c>.</summary>
    public static TextBuffer AddFacts(this TextBuffer text, ref readonly Connection connection)
    {
        text.Add(" state="u8).Add(StateList.Name(connection.State)).Add(" idle="u8);
        text.AddAge(connection.IdleMs);
        return text.Add(" uid="u8).Add(connection.Uid).Add(" inode="u8).Add(connection.Inode);
    }

    /// <summary><c> rtt=23us snd_wnd=65536 rqueue=0 wqueue=0</c>; what the kernel does not tell is left out.</summary>
    public static TextBuffer AddDetail(this TextBuffer text, TcpDetail detail)
    {
        if (detail.RttMicroseconds != TcpDetail.Unknown)
        {
            text.Add(" rtt="u8).Add(detail.RttMicroseconds).Add("us"u8);
        }

        if (detail.SendWindow != TcpDetail.Unknown)
        {
            text.Add(" snd_wnd="u8).Add(detail.SendWindow);
        }

        return text.Add(" rqueue="u8).Add(detail.ReceiveQueue).Add(" wqueue="u8).Add(detail.SendQueue);
    }

    public static TextBuffer AddAge(this TextBuffer text, uint milliseconds) =>
        milliseconds == Connection.UnknownAge ? text.Add("unknown"u8) : text.Add(milliseconds).Add("ms"u8);

    private static TextBuffer AddEnd(this TextBuffer text, ref readonly Connection connection, ref readonly Address address, ushort port)
    {
        bool bracketed = !connection.IsIPv4;
        if (bracketed)
        {
            text.Add("["u8);
        }

        text.Advance(AddressText.Write(text.Room(AddressText.MaxLength), in address, connection.Family));
        if (bracketed)
        {
            if (address.IsLinkLocalIPv6 && connection.Interface != 0)
            {
                text.Add("%"u8).AddDevice(connection.Interface);
            }

            text.Add("]"u8);
        }

        return text.Add(":"u8).Add(port);
    }

    /// <summary>The device's name, or its index where it has none any more.</summary>
    private static unsafe TextBuffer AddDevice(this TextBuffer text, uint index)
    {
        byte* name = stackalloc byte[NetIf.IFNAMSIZ];
        return NetIf.if_indextoname(index, name) is null
            ? text.Add(index)
            : text.AddForeign(MemoryMarshal.CreateReadOnlySpanFromNullTerminated(name));
    }
}
