using System.Net.Sockets;
using System.Text;

namespace TcpCloser.Tests.Report;

/// <summary>A Unix socket that receives datagrams, as a syslog daemon or a service manager does.</summary>
internal sealed class DatagramServer : IDisposable
{
    private readonly System.Net.Sockets.Socket _socket = new(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified);

    /// <param name="path">Its path; after a NUL, its name in the abstract namespace.</param>
    public DatagramServer(string path) => _socket.Bind(new UnixDomainSocketEndPoint(path));

    /// <summary>Takes the datagrams that have arrived.</summary>
    public string[] Received()
    {
        List<string> messages = [];
        byte[] buffer = new byte[4096];
        while (_socket.Poll(0, SelectMode.SelectRead))
        {
            messages.Add(Encoding.UTF8.GetString(buffer, 0, _socket.Receive(buffer)));
        }

        return [.. messages];
    }

    public void Dispose() => _socket.Dispose();
}
