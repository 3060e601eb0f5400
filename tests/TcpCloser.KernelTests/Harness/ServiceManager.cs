namespace TcpCloser.KernelTests.Harness;

/// <summary>Stands in for a service manager: receives what a service sends to NOTIFY_SOCKET (sd_notify(3)).</summary>
internal sealed class ServiceManager : IDisposable
{
    private readonly TemporaryDirectory _directory = new();
    private readonly Socket _socket = new(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified);
    private readonly List<string> _messages = [];

    internal ServiceManager() => _socket.Bind(new UnixDomainSocketEndPoint(_directory.File("notify")));
    internal string[] Wrapper(params string[] variables) => ["env", $"NOTIFY_SOCKET={_directory.File("notify")}", .. variables];

    internal IReadOnlyList<string> Messages
    {
        get
        {
            byte[] buffer = new byte[4096];
            while (_socket.Poll(0, SelectMode.SelectRead))
            {
                _messages.Add(Encoding.UTF8.GetString(buffer, 0, _socket.Receive(buffer)));
            }

            return _messages;
        }
    }

    internal string Await(string prefix)
    {
        Until.True(() => Messages.Any(text => text.StartsWith(prefix, StringComparison.Ordinal)), prefix);
        return Messages.First(text => text.StartsWith(prefix, StringComparison.Ordinal));
    }

    public void Dispose()
    {
        _socket.Dispose();
        _directory.Dispose();
    }
}
