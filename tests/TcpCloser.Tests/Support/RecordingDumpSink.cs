using TcpCloser.Diag;
using TcpCloser.Interop;

namespace TcpCloser.Tests.Support;

/// <summary>Keeps what a dump listed.</summary>
internal sealed class RecordingDumpSink : IDumpSink
{
    public List<string> Sockets { get; } = [];

    /// <summary>How much tcp_info each had.</summary>
    public List<byte[]> Infos { get; } = [];

    public int Resets { get; private set; }

    public void Reset()
    {
        Resets++;
        Sockets.Clear();
        Infos.Clear();
    }

    public void Add(ref readonly InetDiagMsg message, in SocketAttributes attributes)
    {
        var connection = Connection.From(in message);
        Sockets.Add(Text(in connection));
        Infos.Add(attributes.Info.ToArray());
    }

    /// <summary>As <see cref="DumpedSocket"/> writes itself.</summary>
    public static string Text(ref readonly Connection connection) =>
        $"{connection.Family} {connection.State} {AddressText.Format(in connection.Source, connection.Family)}:{connection.SourcePort} " +
        $"{AddressText.Format(in connection.Destination, connection.Family)}:{connection.DestinationPort} {connection.Cookie:x} " +
        $"{connection.Inode} {connection.Uid}";
}
