using System.Net.Sockets;

namespace TcpCloser.Faults;

/// <summary>Stands in for a syslog daemon: takes what arrives at /dev/log, which is this namespace's own.</summary>
internal sealed class SyslogDaemon : IDisposable
{
    private const string Path = "/dev/log";

    private readonly Socket _socket = new(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified);
    private readonly Thread _reader;

    internal SyslogDaemon()
    {
        File.Delete(Path);
        _socket.Bind(new UnixDomainSocketEndPoint(Path));
        _reader = new Thread(Read) { IsBackground = true };
        _reader.Start();
    }

    public void Dispose()
    {
        _socket.Dispose();
        File.Delete(Path);
    }

    private void Read()
    {
        byte[] buffer = new byte[64 * 1024];
        try
        {
            while (_socket.Receive(buffer) >= 0)
            {
            }
        }
        catch (SocketException)
        {
            // It is the end.
        }
        catch (ObjectDisposedException)
        {
            // It is the end.
        }
    }
}
