namespace TcpCloser.KernelTests;

/// <summary>An operator who runs the program through ssh keeps that connection, unless an option says otherwise.</summary>
public sealed class OwnSessionTests
{
    [Theory]
    [InlineData("", "-s 2222", 1)]
    [InlineData("env -i ", "-s 2222", 1)] // then only the ancestors show the session
    [InlineData("env -i ", "-s 2222 --method disconnect", 1)]
    [InlineData("env -i ", "-s 2222 --use-proc", 1)]
    [InlineData("", "-s 2222 --use-proc", 1)]
    [InlineData("", "-s 2222 -d 1-65535", 1)]
    [InlineData("", "-d 2222", 1)] // the client's end of the same connection, which is here too
    [InlineData("env -i ", "-d 2222", 1)] // and without the variable: it is the peer of an ancestor's socket
    [InlineData("setsid -f ", "-s 2222", 1)] // a process without its ancestors: only SSH_CONNECTION shows the session
    public void Run_OwnAndOtherSession_SparesTheOwnAndClosesTheOther(string environment, string arguments, int spared)
    {
        using var server = SshServer.Start();
        using var idle = server.StartIdleSession();
        var result = server.Run($"{environment}{Binaries.Tool} {arguments} --disable-syslog");

        result.Expect(0); // the output arrived through the session, so it is alive
        result.ExpectSummary($"spared={spared} closed=1");
        Assert.Single(result.Log, line => line.Contains(" info spared "));
        Assert.NotEqual(0, idle.WaitForEnd().ExitCode);
        Assert.Equal("again\n", server.Run("echo again").Expect(0).Stdout);
    }

    [Fact]
    public void IncludeOwnSession_Given_ClosesTheOwnSession()
    {
        using var server = SshServer.Start();
        using var idle = server.StartIdleSession();
        var result = server.Run($"{Binaries.Tool} -s 2222 --include-own-session --disable-syslog -f /mnt/log");

        Assert.Equal(255, result.ExitCode); // ssh's status for a broken connection
        Assert.NotEqual(0, idle.WaitForEnd().ExitCode);
        Until.True(() => server.Home.Run("cat /mnt/log").Stdout.Contains("summary"), "the summary in the log file");
        string[] log = server.Home.Run("cat /mnt/log").Stdout.Split('\n');
        Assert.Equal(2, Result.Summary(log, "closed"));
        Assert.Equal(0, Result.Summary(log, "spared"));
        Assert.Equal("again\n", server.Run("echo again").Expect(0).Stdout);
    }

    [Fact]
    public void DryRun_OwnSession_OutcomeIsSpared()
    {
        using var server = SshServer.Start();
        var result = server.Run($"{Binaries.Tool} -n --json -s 2222").Expect(0);
        Assert.Equal("spared", Assert.Single(ConnectionRecord.Read(result)).Outcome);
        result.ExpectSummary("spared=1");
    }
}
