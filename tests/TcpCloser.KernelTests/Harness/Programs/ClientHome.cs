using Sched = TcpCloser.Interop.Sched;

namespace TcpCloser.KernelTests.Harness.Programs;

/// <summary>A network namespace with clients, connected to a server's by a pair of veth devices: the server is 10.9.NUMBER.1.</summary>
internal sealed class ClientHome : IDisposable
{
    private readonly SocketProcess _holder = SocketProcess.Start("unshare", "-n", "--");
    private readonly List<Command> _commands = [];
    private readonly int _serverId;

    /// <param name="number">The number of the network between them.</param>
    /// <param name="addresses">The clients' addresses, in 10.9.NUMBER.0/24.</param>
    internal ClientHome(ServerHome server, int number, params string[] addresses)
    {
        _serverId = server.Lab.Id;
        ServerAddress = $"10.9.{number}.1";
        string[] inServer = ["nsenter", "-t", $"{_serverId}", "-n", "--", "sh", "-ec"];
        _ = Command.Run([.. inServer, $"ip link add c{number} type veth peer name eth0 netns {_holder.Id}; ip addr add {ServerAddress}/24 dev c{number}; ip link set c{number} up"]).Expect(0);
        Run(string.Join("; ", addresses.Select(static address => $"ip addr add {address}/24 dev eth0").Append("ip link set eth0 up")));
    }

    internal string ServerAddress { get; }

    /// <summary>
    /// Starts a command in the clients' network namespace that sees the server's files and processes. It ends with this object at
    /// the latest.
    /// </summary>
    internal Command Start(string command)
    {
        var started = Command.Start(["nsenter", "-t", $"{_serverId}", "-p", "-m", $"--net=/proc/{_holder.Id}/ns/net", "--", .. command.Split(' ')]);
        _commands.Add(started);
        return started;
    }

    internal void Run(string script) => _ = Command.Run(["nsenter", "-t", $"{_holder.Id}", "-n", "--", "sh", "-ec", script]).Expect(0);

    /// <summary>Removes an address: packets to it are lost, and nothing answers for it.</summary>
    internal void LoseAddress(string address) => Run($"ip addr del {address}/24 dev eth0");

    /// <summary>A firewall drops packets from and to that address.</summary>
    internal void Drop(string address) => Run($"""
        nft add table ip lost
        nft add chain ip lost in '{"{"} type filter hook input priority 0; {"}"}'
        nft add chain ip lost out '{"{"} type filter hook output priority 0; {"}"}'
        nft add rule ip lost in ip daddr {address} drop
        nft add rule ip lost out ip saddr {address} drop
        """);

    /// <summary>Runs an action on a thread in the clients' network namespace, where the sockets that it opens stay.</summary>
    internal void Inside(Action action)
    {
        Exception? failure = null;
        var thread = new Thread(() =>
        {
            try
            {
                using var file = File.OpenHandle($"/proc/{_holder.Id}/ns/net");
                Assert.Equal(0, Sched.setns((int)file.DangerousGetHandle(), Sched.CLONE_NEWNET));
                action();
            }
            catch (Exception thrown)
            {
                failure = thrown;
            }
        });
        thread.Start();
        thread.Join();
        if (failure is not null)
        {
            throw new InvalidOperationException(failure.Message, failure);
        }
    }

    /// <summary>Connects to a port of the server; to be called in <see cref="Inside"/>.</summary>
    internal Socket Connect(string from, int port)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        socket.Bind(new IPEndPoint(IPAddress.Parse(from), 0));
        socket.Connect(IPAddress.Parse(ServerAddress), port);
        return socket;
    }

    public void Dispose()
    {
        _commands.ForEach(static command => command.Dispose());
        _holder.Dispose();
    }
}
