namespace TcpCloser.Tests.Run;

/// <summary>A dry run shows what the run would do.</summary>
public sealed class DryRunTests
{
    /// <summary>Each row names the method that would close it: an MPTCP connection is never destroyed.</summary>
    [Fact]
    public void DryRunTable_AutoWithMptcp_ShowsDisconnectForIt()
    {
        var scene = new ServerScene(new FakeHost());
        (FakeTcp[] whole, _) = scene.AddMptcp(scene.Worker);
        string rows = Table(scene.Host, Method.Auto, "-n", "-46", "-s", "22", "-t", "1s");
        foreach (FakeTcp subflow in whole)
        {
            Assert.EndsWith(" disconnect", Row(rows, subflow), StringComparison.Ordinal);
        }

        Assert.EndsWith(" destroy", Row(rows, scene.One), StringComparison.Ordinal);
    }

    /// <summary>Without permission to inspect processes the holder is unknown, which is not a failure of a dry run.</summary>
    [Theory]
    [Rows("auto | disconnect", "disconnect | disconnect", "keepalive | keepalive", "kill | kill")]
    public void DryRun_HolderUnreadable_ShowsAQuestionMarkAndWarns(string method, string shown)
    {
        var host = new FakeHost { DestroyErrno = Errno.EPERM };
        FakeTcp socket = host.Add(new FakeTcp(new DumpedSocket()), host.Add(new FakeProcess(200) { Refusal = Errno.EACCES }));
        var observer = new RecordingObserver();
        string[] words = ["-n", "--include-own-session", "-s", "22", "--method", method];
        string rows = Table(host, Method.Auto, words);
        ExitStatus status = Rounds.Make(host.Machine, [observer], stop: null, words).Run();
        Assert.EndsWith($" {shown} ?", Row(rows, socket), StringComparison.Ordinal);
        Assert.Equal(ExitStatus.Done, status);
        Assert.Equal((1, 0), (observer.Counts!.WouldClose, observer.Counts.Failed));
        Assert.Contains(observer.Messages, static message => message.Level == Level.Warning && message.Text.Contains("process 200", StringComparison.Ordinal));
        Assert.Empty(observer.Errors);
    }

    /// <summary>A socket that the run would skip because it has keepalive is not a row of the table; -v logs it, as in the run.</summary>
    [Fact]
    public void DryRun_SocketWithKeepalive_IsSkippedAsInTheRun()
    {
        var host = new FakeHost();
        FakeProcess worker = host.Add(new FakeProcess(200));
        FakeTcp has = host.Add(new FakeTcp(new DumpedSocket { DestinationPort = 1 }), worker);
        FakeTcp lacks = host.Add(new FakeTcp(new DumpedSocket { DestinationPort = 2, Cookie = 5, Inode = 6 }), worker);
        has.Options[(Socket.SOL_SOCKET, Socket.SO_KEEPALIVE)] = 1;
        var observer = new RecordingObserver();
        string[] words = ["-n", "--include-own-session", "-s", "22", "--method", "keepalive"];
        string rows = Table(host, Method.Keepalive, words);
        ExitStatus status = Rounds.Make(host.Machine, [observer], stop: null, words).Run();
        Assert.Equal(2, rows.TrimEnd('\n').Split('\n').Length);
        Assert.EndsWith(" keepalive", Row(rows, lacks), StringComparison.Ordinal);
        Assert.Equal([Outcome.HasKeepalive], observer.Reported[has.Dumped.Cookie]);
        Assert.Equal((ExitStatus.Done, 1L, 1L), (status, observer.Counts!.Idle, observer.Counts.WouldClose));
    }

    /// <summary>If the parent of a holder runs the same program, SIGKILL may end more processes than those that get it.</summary>
    [Theory]
    [Rows("--use-proc | true", "--use-proc --grace 1s | true", "--use-proc --signal TERM | false")]
    public void DryRunOfKill_FamilyOfProcesses_WarnsOfSigkillOnly(string words, bool isWarned)
    {
        var host = new FakeHost();
        host.Add(new FakeProcess(90) { Executable = "/usr/lib/postgresql/17/bin/postgres" });
        FakeTcp socket = host.Add(
            new FakeTcp(new DumpedSocket { Uid = 1000 }),
            host.Add(new FakeProcess(200) { Parent = 90, Executable = "/usr/lib/postgresql/17/bin/postgres" }));
        var observer = new RecordingObserver();
        string[] all = ["-n", "--include-own-session", "-s", "22", .. words.Split(' ')];
        string rows = Table(host, Method.Kill, all);
        _ = Rounds.Make(host.Machine, [observer], stop: null, all).Run();
        Assert.EndsWith(
            isWarned ? " kill (0 other connections; a SIGKILL may end the family of process 90)" : " kill (0 other connections)",
            Row(rows, socket),
            StringComparison.Ordinal);
        Assert.Equal(isWarned, observer.Messages.Exists(static message => message.Level == Level.Warning
            && message.Text.Contains("process 200 runs the same program as its parent", StringComparison.Ordinal)));
    }

    [Fact]
    public void DryRunOfKill_HolderCannotBeChecked_ReportsWhy()
    {
        var scene = new ServerScene(new FakeHost());
        scene.Host.Faults.Errno = static (call, _) => call == "read stat" ? Errno.EIO : 0;
        var observer = new RecordingObserver();
        ExitStatus status = Rounds.Make(scene.Host.Machine, [observer], stop: null, "-n", "--include-own-session", "--method", "kill", "-46", "-s", "22").Run();
        Assert.Equal(ExitStatus.Incomplete, status);
        Assert.Contains(observer.Errors, static error => error.Contains("EIO", StringComparison.Ordinal));
        Assert.Equal(0, observer.Counts!.WouldClose);
    }

    /// <summary>A probe needs only one holder; the table names all of them.</summary>
    [Fact]
    public void DryRunTable_AfterAProbe_NamesEveryHolder()
    {
        var host = new FakeHost();
        var socket = new FakeTcp(new DumpedSocket { SourcePort = 22, Rto = 4_000 }) { Peer = new FakePeer(FakeAnswer.Nothing, quietMs: 60_000) };
        host.Add(socket, host.Add(new FakeProcess(200)), host.Add(new FakeProcess(201)));
        string rows = Table(host, Method.Disconnect, "-n", "--include-own-session", "--probe", "3s", "--method", "disconnect", "-46", "-s", "22", "-t", "1s");
        Assert.Contains("worker[200] +1", rows, StringComparison.Ordinal);
    }

    private static string Table(FakeHost host, Method method, params string[] words) => Written.ToStdout(() =>
    {
        var table = new DryRunTable(new OutputStream(Unistd.STDOUT_FILENO, new StallPolicy(null)), namesNamespaces: false, method);
        _ = Rounds.Make(host.Machine, [table], stop: null, words).Run();
    });

    private static string Row(string rows, FakeTcp socket) =>
        Assert.Single(rows.Split('\n'), row => row.Contains($":{socket.Dumped.DestinationPort} ", StringComparison.Ordinal));
}
