namespace TcpCloser.KernelTests.Harness;

/// <summary>Stands in for a syslog daemon at /dev/log, as a rule in the Lab's own /dev.</summary>
internal sealed class SyslogDaemon : IDisposable
{
    private readonly Socket _socket = new(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified);
    private readonly string _path;

    internal SyslogDaemon(LabProcess lab) : this($"/proc/{lab.Id}/root/dev/log")
    {
    }

    internal SyslogDaemon(string path)
    {
        _path = path;
        File.Delete(_path);
        _socket.Bind(new UnixDomainSocketEndPoint(_path));
    }

    /// <summary>An environment with its own /dev, in which no daemon listens yet.</summary>
    internal static LabEnvironment Environment { get; } = new()
    {
        OwnMounts = true,
        // A tmpfs over /dev would hide the devices while they are copied: it is filled elsewhere and moved there.
        Preparation = """
            new=$(mktemp -d)
            mount -t tmpfs none "$new"
            for device in null zero full; do touch "$new/$device"; mount --bind "/dev/$device" "$new/$device"; done
            mount --rbind "$new" /dev
            umount -l "$new"
            rmdir "$new"
            """,
    };

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
