using System.Net.Sockets;
using System.Text;

namespace TcpCloser.KernelTests.Harness;

/// <summary>Stands in for a syslog daemon: /dev/log in the Lab's own /dev.</summary>
internal sealed class SyslogDaemon : IDisposable
{
    private readonly Socket _socket;
    private readonly string _path;

    /// <summary>Opens /dev/log.</summary>
    internal SyslogDaemon(LabProcess lab, SocketType type = SocketType.Dgram)
    {
        _path = $"/proc/{lab.Id}/root/dev/log";
        File.Delete(_path);
        _socket = new Socket(AddressFamily.Unix, type, ProtocolType.Unspecified);
        _socket.Bind(new UnixDomainSocketEndPoint(_path));
        if (type == SocketType.Stream)
        {
            _socket.Listen();
        }
    }

    /// <summary>Surroundings with a /dev of their own, in which nothing listens yet.</summary>
    internal static LabSurroundings Surroundings { get; } = new()
    {
        OwnMounts = true,
        // A tmpfs over /dev would hide the devices from those who make it: it is filled elsewhere and moved there.
        Preparation = """
            new=$(mktemp -d)
            mount -t tmpfs none "$new"
            for device in null zero full; do touch "$new/$device"; mount --bind "/dev/$device" "$new/$device"; done
            mount --rbind "$new" /dev
            umount -l "$new"
            rmdir "$new"
            """,
    };

    /// <summary>Everything that has arrived.</summary>
    internal List<string> Receive()
    {
        List<string> messages = [];
        byte[] buffer = new byte[64 * 1024];
        while (_socket.Available > 0 || _socket.Poll(0, SelectMode.SelectRead))
        {
            messages.Add(Encoding.UTF8.GetString(buffer, 0, _socket.Receive(buffer)));
        }

        return messages;
    }

    public void Dispose()
    {
        _socket.Dispose();
        File.Delete(_path);
    }
}
