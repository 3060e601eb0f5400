namespace TcpCloser.KernelTests.Harness.Programs;

/// <summary>A real server as Debian ships it, except for its port, its data and its timeout for idle clients.</summary>
/// <param name="Port">The port on which it listens, on every IPv4 address.</param>
/// <param name="Needs">The commands that have to be installed.</param>
/// <param name="Preparation">A shell script that runs before the server.</param>
/// <param name="Command">The shell command that runs it in the foreground.</param>
internal sealed record ServerProgram(string Name, int Port, string[] Needs, string Preparation, string Command)
{
    private const string AsNobody = "setpriv --reuid 65534 --regid 65534 --clear-groups";

    private static readonly string[] s_postgresDirectories =
        Directory.Exists("/usr/lib/postgresql") ? [.. Directory.GetDirectories("/usr/lib/postgresql").Select(static directory => directory + "/bin")] : [];

    internal static readonly ServerProgram Postgres = new(
        "PostgreSQL", 5432, ["initdb", "postgres", "psql"],
        $"""
        install -d -o 65534 -g 65534 -m 700 /mnt/pg
        {AsNobody} initdb -D /mnt/pg -U test -A trust --no-sync --no-locale >/dev/null
        echo 'host all all 10.9.0.0/16 trust' >>/mnt/pg/pg_hba.conf
        """,
        $"{AsNobody} postgres -D /mnt/pg -p 5432 -c 'listen_addresses=*' -c unix_socket_directories= -c fsync=off >/mnt/pg.log 2>&1")
    {
        Protocol = Protocol.Postgres,
        Ready = "until psql -X -h 127.0.0.1 -U test postgres -c 'select 1' >/dev/null 2>&1; do sleep 0.05; done",
    };

    /// <summary>In front of <see cref="Postgres"/>.</summary>
    internal static readonly ServerProgram PgBouncer = new(
        "pgbouncer", 6432, ["pgbouncer", .. Postgres.Needs],
        """
        cat >/mnt/pgbouncer.ini <<'END'
        [databases]
        * = host=127.0.0.1 port=5432 user=test
        [pgbouncer]
        listen_addr = 0.0.0.0
        listen_port = 6432
        unix_socket_dir =
        auth_type = any
        pool_mode = transaction
        END
        """,
        $"{AsNobody} pgbouncer /mnt/pgbouncer.ini 2>/mnt/pgbouncer.log")
    {
        Protocol = Protocol.Postgres,
    };

    internal static readonly ServerProgram MariaDb = new(
        "MariaDB", 3306, ["mariadbd"],
        "install -d -o 65534 -g 65534 -m 700 /mnt/maria",
        $"{AsNobody} mariadbd --no-defaults --datadir=/mnt/maria --socket=/mnt/maria/socket --pid-file=/mnt/maria/pid --bind-address=0.0.0.0 --port=3306 "
        + "--skip-grant-tables --skip-name-resolve --innodb-buffer-pool-size=8M --innodb-log-file-size=4M --aria-log-file-size=8M >/mnt/maria.log 2>&1")
    {
        Protocol = Protocol.Maria,
    };

    internal static readonly ServerProgram Redis = CreateRedis("redis", 6379, keepalive: 300);
    internal static readonly ServerProgram RedisWithoutKeepalive = CreateRedis("redis, tcp-keepalive 0", 6380, keepalive: 0);

    internal static readonly ServerProgram Mosquitto = new(
        "mosquitto", 1883, ["mosquitto"],
        @"printf 'listener 1883 0.0.0.0\nallow_anonymous true\nuser nobody\n' >/mnt/mosquitto.conf",
        "mosquitto -c /mnt/mosquitto.conf 2>/mnt/mosquitto.log")
    {
        Protocol = Protocol.Mqtt,
    };

    internal static readonly ServerProgram Haproxy = new(
        "haproxy", 8081, ["haproxy"],
        """
        cat >/mnt/haproxy.cfg <<'END'
        global
            user nobody
            group nogroup
        defaults
            mode http
            timeout connect 5s
            timeout server 1h
            timeout client 1h
            timeout http-keep-alive 1h
        frontend web
            bind 0.0.0.0:8081
            http-request return status 200 content-type text/plain string served
        END
        """,
        "haproxy -db -f /mnt/haproxy.cfg 2>/mnt/haproxy.log")
    {
        Protocol = Protocol.Http,
    };

    internal static readonly ServerProgram Nginx = new(
        "nginx", 8080, ["nginx"],
        """
        cat >/mnt/nginx.conf <<'END'
        daemon off;
        user nobody nogroup;
        worker_processes 2;
        pid /mnt/nginx.pid;
        error_log /mnt/error.log;
        events { }
        http {
            access_log off;
            client_body_temp_path /mnt/body;
            proxy_temp_path /mnt/proxy;
            fastcgi_temp_path /mnt/fastcgi;
            uwsgi_temp_path /mnt/uwsgi;
            scgi_temp_path /mnt/scgi;
            server {
                listen 8080;
                keepalive_timeout 1h;
                location / { return 200 "served\r\n"; }
            }
        }
        END
        """,
        "nginx -p /mnt -c /mnt/nginx.conf")
    {
        Protocol = Protocol.Http,
    };

    internal static readonly ServerProgram Sshd = new(
        "sshd", SshServer.Port, ["sshd", "ssh"],
        $"""
        # Its own account database, in which root is not locked, is mounted over the machine's in the namespace.
        mkdir -m 755 /run/sshd
        ssh-keygen -q -t ed25519 -N '' -f /mnt/key
        ssh-keygen -q -t ed25519 -N '' -f /mnt/host
        cp /mnt/key.pub /mnt/authorized
        printf 'root:x:0:0::/mnt:/bin/sh\nsshd:x:74:65534::/run/sshd:/bin/false\n' >/mnt/passwd
        printf 'root:*:19000:0:99999:7:::\nsshd:*:19000:0:99999:7:::\n' >/mnt/shadow
        mount --bind /mnt/passwd /etc/passwd
        mount --bind /mnt/shadow /etc/shadow
        printf '%s\n' 'Port {SshServer.Port}' 'AddressFamily inet' 'HostKey /mnt/host' 'AuthorizedKeysFile /mnt/authorized' 'UsePAM no' \
            'StrictModes no' 'PermitRootLogin yes' 'PidFile none' 'MaxStartups 100' >/mnt/config
        """,
        "$(command -v sshd) -D -e -f /mnt/config"); // sshd re-executes itself by its absolute path

    internal static readonly ServerProgram[] All = [Postgres, PgBouncer, MariaDb, Redis, RedisWithoutKeepalive, Mosquitto, Haproxy, Nginx, Sshd];

    /// <summary>The protocol of its clients; null: the clients are programs.</summary>
    internal Protocol? Protocol { get; init; }
    /// <summary>A shell script that exits when clients can log in; the port is open before that.</summary>
    internal string Ready { get; init; } = "true";

    internal bool IsInstalled => Needs.All(static command => ServerHome.Find(command, s_postgresDirectories) is not null);

    /// <summary>
    /// Starts the server in its own namespaces. Skips the test if it is not installed or needs a second user that does not
    /// exist.
    /// </summary>
    internal ServerHome StartIsolated()
    {
        Namespaces.Require();
        Assert.SkipUnless(IsInstalled, $"{Name} is not installed");
        Assert.SkipWhen(Namespaces.NeedUserNamespace, "the server needs a second user, which a user namespace does not have");
        ServerHome home = new();
        try
        {
            StartIn(home);
            return home;
        }
        catch
        {
            home.Dispose();
            throw;
        }
    }

    /// <summary>Starts the server, and returns when clients can log in and none is connected any more.</summary>
    internal void StartIn(ServerHome home)
    {
        string path = $"export PATH=$PATH:/usr/sbin:/sbin:{string.Join(':', s_postgresDirectories)}; cd /mnt; ";
        home.Run(path + "set -e; " + Preparation).Expect(0);
        home.Start(path + "exec " + Command);
        home.AwaitListener(Port);
        home.Run(path + Ready).Expect(0);
        Until.True(() => home.Connections(Port) == 0, "the end of the connection that checked for readiness");
    }

    private static ServerProgram CreateRedis(string name, int port, int keepalive) => new(
        name,
        port,
        ["redis-server"],
        "true",
        $"redis-server --bind 0.0.0.0 --port {port} --protected-mode no --save '' --tcp-keepalive {keepalive} >/mnt/redis-{port}.log 2>&1")
    {
        Protocol = Protocol.Redis,
    };
}
