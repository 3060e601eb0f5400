namespace TcpCloser.KernelTests;

/// <summary>Connections of real programs are closed; the programs keep running and serve new ones.</summary>
public sealed class RealProgramTests
{
    [Theory]
    [Values("destroy", "disconnect")]
    public void Close_InteractivePsql_Reconnects(string method)
    {
        using var home = ServerProgram.Postgres.StartIsolated();
        // psql reconnects only if stdin is a terminal.
        using var psql = home.Start("TERM=dumb PAGER=cat exec script -qec 'psql -X -h 127.0.0.1 -U test postgres' /dev/null");
        psql.WriteLine("select 'fir' || 'st';");
        Until.True(() => psql.Stdout.Contains("first"), "the first answer");
        Assert.Equal(1, home.Connections(5432));

        home.Lab.Tool("--method", method, "-s", "5432").Expect(0, "closed=1");

        Assert.Equal(0, home.Connections(5432));
        psql.WriteLine("select 'nobody hears this';");
        Until.True(() => psql.Stdout.Contains("Succeeded"), "psql's new connection");
        psql.WriteLine("select 'sec' || 'ond';");
        Until.True(() => psql.Stdout.Contains("second"), "the second answer");
        Assert.Equal(1, home.Connections(5432));
    }

    /// <summary>From a script psql does not reconnect: it exits with 2, and does not assume that its statements ran.</summary>
    [Theory]
    [Values("destroy", "disconnect")]
    public void Close_PsqlInAScript_ExitsWith2(string method)
    {
        using var home = ServerProgram.Postgres.StartIsolated();
        using var psql = home.Start("exec psql -X -At -h 127.0.0.1 -U test postgres");
        psql.WriteLine("select 'fir' || 'st';");
        psql.Await("first");

        // Closes the client's end.
        home.Lab.Tool("--method", method, "-d", "5432").Expect(0, "closed=1");

        // Both at once: psql exits at the first one that fails, and reads no further.
        psql.WriteLine("select 'sec' || 'ond';\nselect 'thi' || 'rd';");
        psql.CloseStdin();
        var result = psql.WaitForEnd().Expect(2);
        Assert.DoesNotContain("second", result.Stdout, StringComparison.Ordinal);
        Assert.Contains("connection to server was lost", result.Stderr, StringComparison.Ordinal);
    }

    [Theory]
    [Values("destroy", "disconnect")]
    public void Close_PostgresSessionWithOpenTransaction_RollsBackAndServerContinues(string method)
    {
        using var home = ServerProgram.Postgres.StartIsolated();
        using var psql = home.Start("exec psql -X -At -h 127.0.0.1 -U test postgres");
        psql.WriteLine("begin; create table kept (a int); commit; begin; insert into kept values (1); select 'open';");
        Until.True(() => psql.Stdout.Contains("open"), "a transaction that stays open");

        home.Lab.Tool("--method", method, "-s", "5432").Expect(0);

        // The backend noticed: the uncommitted work of the broken connection is rolled back, and its lock is released.
        Until.True(
            () => home.Run("psql -X -At -h 127.0.0.1 -U test postgres -c 'set lock_timeout = 100; lock table kept; ' -c 'select count(*) from kept'").Stdout.EndsWith("0\n", StringComparison.Ordinal),
            "the end of the broken transaction");
        Assert.False(home.Run("grep -q 'database system was not properly shut down' /mnt/pg.log").ExitCode == 0);
    }

    [Theory]
    [Values("destroy", "disconnect")]
    public void Close_NginxKeepaliveConnection_ServerServesNewOnes(string method)
    {
        using var home = ServerProgram.Nginx.StartIsolated();
        using var client = home.Start("""
            exec 3<>/dev/tcp/127.0.0.1/8080
            printf 'GET / HTTP/1.1\r\nHost: test\r\n\r\n' >&3
            until read -r line <&3 && [ "${line%?}" = served ]; do :; done
            echo served
            read -r _
            read -r line <&3 || echo ended
            """);
        Until.True(() => client.Stdout.Contains("served"), "the first answer");
        Assert.Equal(1, home.Connections(8080));

        home.Lab.Tool("--method", method, "-s", "8080").Expect(0, "closed=1");

        client.WriteLine("go on");
        Until.True(() => client.Stdout.Contains("ended"), "the client's notice");
        Assert.Equal(0, home.Connections(8080));
        Assert.Contains("served", home.Run(Get).Expect(0).Stdout, StringComparison.Ordinal);
        Assert.DoesNotContain(" exited on signal", home.Run("cat /mnt/error.log").Stdout, StringComparison.Ordinal);
    }

    [Theory]
    [Values("destroy", "disconnect")]
    public void Close_SshSession_EndsAndServerAcceptsTheNext(string method)
    {
        using var server = SshServer.Start();
        using var session = server.StartIdleSession();
        server.Home.Lab.Tool("--method", method, "-s", $"{SshServer.Port}").Expect(0, "closed=1");
        Assert.Equal(255, session.WaitForEnd().ExitCode);
        Assert.Equal("again\n", server.Run("echo again").Expect(0).Stdout);
    }

    private const string Get = """
        exec 3<>/dev/tcp/127.0.0.1/8080
        printf 'GET / HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n' >&3
        cat <&3
        """;
}
