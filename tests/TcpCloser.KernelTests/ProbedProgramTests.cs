using TcpCloser.KernelTests.Harness;
using TcpCloser.KernelTests.Harness.Paths;
using TcpCloser.KernelTests.Harness.Reach;
using Xunit;

namespace TcpCloser.KernelTests;

/// <summary>Real programs whose clients are asked by <c>--probe</c> do not notice, and only who has vanished is closed.</summary>
public sealed class ProbedProgramTests
{
    private const string Show = "select current_setting('tcp_keepalives_idle'), current_setting('tcp_keepalives_interval'), "
        + "current_setting('tcp_keepalives_count'), current_setting('tcp_user_timeout');";

    /// <summary>A pool of idle sessions of PostgreSQL, and one whose client's namespace lost its address: exactly that one goes.</summary>
    [Fact]
    public void AVanishedClientOfPostgres()
    {
        using var home = RealProgramTests.StartPostgres();
        using var living = new ClientHome(home, "10.9.0.2", number: 0);
        using var lost = new ClientHome(home, "10.9.1.2", number: 1);
        Command[] pool = [.. Enumerable.Range(0, 4).Select(_ => living.Start("psql -X -At -h 10.9.0.1 -U test postgres"))];
        string[] before = [.. pool.Select((psql, i) => Query(psql, Show, $"first{i}"))];
        using Command vanished = lost.Start("psql -X -At -h 10.9.1.1 -U test postgres");
        Query(vanished, "select 1;", "there");
        Assert.Equal(5, home.Connections(5432));
        home.Lab.WaitQuiet(5432, 3_100);
        lost.LoseAddress();

        Result result = home.Lab.Tool("-s", "5432", "--probe", "3s", "-v", "--include-own-session").Expect(0);

        Assert.Equal((5, 1, 1), (result.Summary("matched"), result.Summary("idle"), result.Summary("closed")));
        Assert.Contains("10.9.1.2:", result.Destroyed.Single(), StringComparison.Ordinal);
        Assert.Equal(4, home.Connections(5432));
        Assert.Equal(before, pool.Select((psql, i) => Query(psql, Show, $"second{i}")));
        Assert.All(pool, static psql => Assert.Empty(psql.Stderr));
        Until.True(() => home.Run("grep -c 'could not receive data from client' /mnt/pg.log").Stdout.Trim() == "1", "the server's notice of one lost client");
    }

    [Fact]
    public void AnIdleSshSessionGoesOn()
    {
        using var server = SshServer.Start();
        using Command session = server.StartIdleSession();
        server.Home.Lab.WaitQuiet(SshServer.Port, 3_100);

        AssertAllAnswer(server.Home, SshServer.Port);

        session.WriteLine("still here");
        Until.True(() => session.Stdout.Contains("still here", StringComparison.Ordinal), "the echo; " + session.Stderr);
    }

    [Fact]
    public void AKeptConnectionToNginxGoesOn()
    {
        using var home = RealProgramTests.StartNginx();
        using Command client = home.Start("""
            exec 3<>/dev/tcp/127.0.0.1/8080
            for i in 1 2; do
                printf 'GET / HTTP/1.1\r\nHost: test\r\n\r\n' >&3
                until read -r line <&3 && [ "${line%?}" = served ]; do :; done
                echo served $i
                read -r _
            done
            """);
        Until.True(() => client.Stdout.Contains("served 1", StringComparison.Ordinal), "the first answer");
        home.Lab.WaitQuiet(8080, 3_100);

        AssertAllAnswer(home, 8080);

        client.WriteLine("go on");
        Until.True(() => client.Stdout.Contains("served 2", StringComparison.Ordinal), "the second answer");
    }

    [Fact]
    public void AClientOfRedisGoesOn()
    {
        Namespaces.Require();
        Assert.SkipWhen(ServerHome.Find("redis-server") is null || ServerHome.Find("redis-cli") is null, "redis is not installed");
        using ServerHome home = RealProgramTests.Start(
            6379, "true", "cd /mnt && exec redis-server --bind 127.0.0.1 --save '' --tcp-keepalive 300 >/mnt/redis.log 2>&1", "until redis-cli ping >/dev/null; do sleep 0.05; done");
        using Command client = home.Start("exec redis-cli");
        client.WriteLine("set a first");
        Until.True(() => client.Stdout.Contains("OK", StringComparison.Ordinal), "the first answer");
        home.Lab.WaitQuiet(6379, 3_100);

        AssertAllAnswer(home, 6379);

        client.WriteLine("get a");
        Until.True(() => client.Stdout.Contains("first", StringComparison.Ordinal), "the second answer");
    }

    private static void AssertAllAnswer(ServerHome home, int port)
    {
        Result result = home.Lab.Tool("-s", $"{port}", "--probe", "3s", "-v", "--include-own-session").Expect(0);
        Assert.Equal((1, 0), (result.Summary("matched"), result.Summary("idle")));
        Assert.Single(result.Log, static line => line.Contains(" left alone: its peer lives ", StringComparison.Ordinal));
    }

    private static string Query(Command psql, string query, string mark)
    {
        int before = psql.Stdout.Length;
        psql.WriteLine($"{query} select '{mark}';");
        Until.True(() => psql.Stdout[before..].Contains(mark, StringComparison.Ordinal), "an answer; " + psql.Stderr);
        return psql.Stdout[before..].Split('\n')[0];
    }

    /// <summary>A network namespace with clients, joined to a server's.</summary>
    private sealed class ClientHome : IDisposable
    {
        private readonly SocketProcess _holder = SocketProcess.Start("unshare", "-n", "--");
        private readonly List<Command> _commands = [];
        private readonly string _address;

        internal ClientHome(ServerHome server, string address, int number)
        {
            _address = address;
            string[] inServer = ["nsenter", "-t", $"{server.Lab.Id}", "-n", "--", "sh", "-ec"];
            _ = Command.Run([.. inServer, $"ip link add c{number} type veth peer name eth0 netns {_holder.Id}; ip addr add 10.9.{number}.1/24 dev c{number}; ip link set c{number} up"]).Expect(0);
            _ = Command.Run([.. Inside, "sh", "-ec", $"ip addr add {address}/24 dev eth0; ip link set eth0 up"]).Expect(0);
        }

        private string[] Inside => ["nsenter", "-t", $"{_holder.Id}", "-n", "--"];

        internal Command Start(string command)
        {
            var started = Command.Start([.. Inside, .. command.Split(' ')]);
            _commands.Add(started);
            return started;
        }

        internal void LoseAddress() => _ = Command.Run([.. Inside, "ip", "addr", "del", $"{_address}/24", "dev", "eth0"]).Expect(0);

        public void Dispose()
        {
            _commands.ForEach(static command => command.Dispose());
            _holder.Dispose();
        }
    }
}
