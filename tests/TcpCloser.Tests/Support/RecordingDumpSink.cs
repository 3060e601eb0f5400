namespace TcpCloser.Tests.Support;

internal sealed class RecordingDumpSink
{
    public List<string> Sockets { get; } = [];
    public List<byte[]> Infos { get; } = []; // the tcp_info of each
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

    /// <summary>In the format of <see cref="DumpedSocket"/>'s ToString.</summary>
    public static string Text(ref readonly Connection connection) =>
        $"{connection.Family} {connection.State} {AddressText.Format(in connection.Source, connection.Family)}:{connection.SourcePort} " +
        $"{AddressText.Format(in connection.Destination, connection.Family)}:{connection.DestinationPort} {connection.Cookie:x} " +
        $"{connection.Inode} {connection.Uid}";
}
