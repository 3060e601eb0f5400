using TcpCloser.KernelTests.Harness;
using TcpCloser.KernelTests.Harness.Reach;
using Xunit;

namespace TcpCloser.KernelTests;

/// <summary>Connections of real programs are closed; the programs live on and serve new ones.</summary>
public sealed class RealProgramTests
{
    private static readonly string[] s_postgresFolders =
        Directory.Exists("/usr/lib/postgresql") ? [.. Directory.GetDirectories("/usr/lib/postgresql").Select(folder => folder + "/bin")] : [];

    [Theory]
    [InlineData("destroy")]
    [InlineData("disconnect")]
    public void AnIdlePsqlReconnects(string method)
    {
        using var home = StartPostgres();
        // psql connects again only where it believes in a person at a terminal.
        using var psql = home.Start("TERM=dumb PAGER=cat exec script -qec 'psql -X -h 127.0.0.1 -U test postgres' /dev/null");
        psql.WriteLine("select 'fir' || 'st';");
        Until.True(() => psql.Stdout.Contains("first", StringComparison.Ordinal), "the first answer");
        Assert.Equal(1, home.Connections(5432));

        Assert.Equal(1, home.Lab.Tool("--method", method, "-s", "5432").Expect(0).Summary("closed"));

        Assert.Equal(0, home.Connections(5432));
        psql.WriteLine("select 'nobody hears this';");
        Until.True(() => psql.Stdout.Contains("Succeeded", StringComparison.Ordinal), "psql's new connection");
        psql.WriteLine("select 'sec' || 'ond';");
        Until.True(() => psql.Stdout.Contains("second", StringComparison.Ordinal), "the second answer");
        Assert.Equal(1, home.Connections(5432));
    }

    /// <summary>From a script psql does not connect again: it ends with 2, and does not believe that its statements ran.</summary>
    [Theory]
    [InlineData("destroy")]
    [InlineData("disconnect")]
    public void APsqlInAScriptNoticesAndFails(string method)
    {
        using var home = StartPostgres();
        using var psql = home.Start("exec psql -X -At -h 127.0.0.1 -U test postgres");
        psql.WriteLine("select 'fir' || 'st';");
        psql.Await("first");

        // The client's own end.
        Assert.Equal(1, home.Lab.Tool("--method", method, "-d", "5432").Expect(0).Summary("closed"));

        // Together: it ends with the first that fails, and reads no further.
        psql.WriteLine("select 'sec' || 'ond';\nselect 'thi' || 'rd';");
        psql.CloseStdin();
        var result = psql.WaitForEnd().Expect(2);
        Assert.DoesNotContain("second", result.Stdout, StringComparison.Ordinal);
        Assert.Contains("connection to server was lost", result.Stderr, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("destroy")]
    [InlineData("disconnect")]
    public void ABackendThatWaitsForItsClientEndsAndTheServerGoesOn(string method)
    {
        using var home = StartPostgres();
        using var psql = home.Start("exec psql -X -At -h 127.0.0.1 -U test postgres");
        psql.WriteLine("begin; create table kept (a int); commit; begin; insert into kept values (1); select 'open';");
        Until.True(() => psql.Stdout.Contains("open", StringComparison.Ordinal), "a transaction that stays open");

        home.Lab.Tool("--method", method, "-s", "5432").Expect(0);

        // The backend noticed: what the broken connection had not committed is rolled back, and its lock is gone.
        Until.True(
            () => home.Run("psql -X -At -h 127.0.0.1 -U test postgres -c 'set lock_timeout = 100; lock table kept; ' -c 'select count(*) from kept'").Stdout.EndsWith("0\n", StringComparison.Ordinal),
            "the end of the broken transaction");
        Assert.False(home.Run("grep -q 'database system was not properly shut down' /mnt/pg.log").ExitCode == 0);
    }

    [Theory]
    [InlineData("destroy")]
    [InlineData("disconnect")]
    public void NginxServesNewConnectionsAfterAKeepAliveOneWasClosed(string method)
    {
        using var home = StartNginx();
        using var client = home.Start("""
            exec 3<>/dev/tcp/127.0.0.1/8080
            printf 'GET / HTTP/1.1\r\nHost: test\r\n\r\n' >&3
            until read -r line <&3 && [ "${line%?}" = served ]; do :; done
            echo served
            read -r _
            read -r line <&3 || echo ended
            """);
        Until.True(() => client.Stdout.Contains("served", StringComparison.Ordinal), "the first answer");
        Assert.Equal(1, home.Connections(8080));

        Assert.Equal(1, home.Lab.Tool("--method", method, "-s", "8080").Expect(0).Summary("closed"));

        client.WriteLine("go on");
        Until.True(() => client.Stdout.Contains("ended", StringComparison.Ordinal), "the client's notice");
        Assert.Equal(0, home.Connections(8080));
        Assert.Contains("served", home.Run(Get).Expect(0).Stdout, StringComparison.Ordinal);
        Assert.DoesNotContain(" exited on signal", home.Run("cat /mnt/error.log").Stdout, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("destroy")]
    [InlineData("disconnect")]
    public void AnSshSessionEndsAndTheServerTakesTheNext(string method)
    {
        using var server = SshServer.Start();
        using var session = server.StartIdleSession();

        Assert.Equal(1, server.Home.Lab.Tool("--method", method, "-s", $"{SshServer.Port}").Expect(0).Summary("closed"));

        Assert.Equal(255, session.WaitForEnd().ExitCode);
        Assert.Equal("again\n", server.Run("echo again").Expect(0).Stdout);
    }

    internal const string Get = """
        exec 3<>/dev/tcp/127.0.0.1/8080
        printf 'GET / HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n' >&3
        cat <&3
        """;

    /// <summary>PostgreSQL on every address of its namespace.</summary>
    internal static ServerHome StartPostgres()
    {
        Namespaces.Require();
        string? initdb = ServerHome.Find("initdb", s_postgresFolders), postgres = ServerHome.Find("postgres", s_postgresFolders);
        Assert.SkipWhen(initdb is null || postgres is null || ServerHome.Find("psql") is null || ServerHome.Find("script") is null, "PostgreSQL or script is not installed");
        Assert.SkipWhen(Namespaces.NeedUserNamespace, "PostgreSQL refuses root, the one user of a user namespace");
        const string AsNobody = "setpriv --reuid 65534 --regid 65534 --clear-groups";
        return Start(
            5432,
            $"""
            set -e
            install -d -o 65534 -g 65534 -m 700 /mnt/pg
            {AsNobody} {initdb} -D /mnt/pg -U test -A trust --no-sync --no-locale >/dev/null
            echo 'host all all 10.9.0.0/16 trust' >>/mnt/pg/pg_hba.conf
            """,
            $"""exec {AsNobody} {postgres} -D /mnt/pg -p 5432 -c 'listen_addresses=*' -c unix_socket_directories= -c fsync=off >/mnt/pg.log 2>&1""",
            "until psql -X -h 127.0.0.1 -U test postgres -c 'select 1' >/dev/null 2>&1; do sleep 0.05; done");
    }

    internal static ServerHome StartNginx()
    {
        Namespaces.Require();
        string? nginx = ServerHome.Find("nginx");
        Assert.SkipWhen(nginx is null, "nginx is not installed");
        Assert.SkipWhen(Namespaces.NeedUserNamespace, "nginx's workers need a second user, whom a user namespace does not have");
        return Start(
            8080,
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
                    listen 127.0.0.1:8080;
                    keepalive_timeout 1h;
                    location / { return 200 "served\r\n"; }
                }
            }
            END
            """,
            $"exec {nginx} -p /mnt -c /mnt/nginx.conf",
            "true");
    }

    /// <summary>A server in namespaces of its own.</summary>
    internal static ServerHome Start(int port, string preparation, string server, string ready)
    {
        ServerHome home = new();
        try
        {
            home.Run(preparation).Expect(0);
            home.Start(server);
            home.AwaitListener(port);
            home.Run(ready).Expect(0);
            Until.True(() => home.Connections(port) == 0, "the end of the first look");
            return home;
        }
        catch
        {
            home.Dispose();
            throw;
        }
    }
}
