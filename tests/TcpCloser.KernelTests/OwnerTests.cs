namespace TcpCloser.KernelTests;

/// <summary>Any user can make a process a holder of a socket by sending it over a Unix socket: such a process is never signalled.</summary>
public sealed class OwnerTests
{
    private static readonly LabEnvironment s_own = new() { OwnProcesses = true, Preparation = "ip link set lo up\nmount -t tmpfs none /mnt\nchmod 1777 /mnt" };

    [Theory]
    [InlineData(true)]
    [InlineData(false)] // the user's own process has closed it: only the daemon holds it
    public void Kill_HolderWasOnlySentTheSocket_IsNotSignalled(bool userAlsoHoldsIt)
    {
        using var home = LabProcess.Start(s_own, "--count", "0", "--port", "4999");
        using var user = Users.StartLab(home, Users.Somebody, "--count", "1", "--client-process");
        using var daemon = StartKeeper(home);
        user.Ask("give 0 /mnt/keeper");
        if (!userAlsoHoldsIt)
        {
            user.Ask("close-servers");
        }

        var table = home.Tool("-n", "--use-proc", "-s", LabProcess.PortText).Expect(1); // like the run
        var result = home.Tool("--use-proc", "--grace", "100ms", "-s", LabProcess.PortText).Expect(1);

        Assert.Contains("held by a process of a different user than the socket's", table.Stdout, StringComparison.Ordinal);
        result.ExpectSummary("failed=1");
        Assert.Single(result.Log, line => line.Contains(" error failed ") && line.Contains(" reason=owner_other"));
        Assert.DoesNotContain(result.Log, line => line.Contains(" to pid="));
        Assert.False(daemon.HasExited);
        user.ExpectState("processes dead=0, client alive=1");
        // The other methods close it and affect no process.
        home.Tool("--method", "disconnect", "-s", LabProcess.PortText).Expect(0, "closed=1");
        Assert.False(daemon.HasExited);
    }

    /// <summary>inetd, systemd and sshd pass root's sockets on deliberately.</summary>
    [Fact]
    public void Kill_RootsSocketHeldByAnotherUser_SignalsThatHolder()
    {
        Users.Require();
        using var home = LabProcess.Start(s_own, "--count", "1", "--client-process");
        using var heir = StartKeeper(home, Users.As(Users.Somebody));
        home.Ask("give 0 /mnt/keeper");

        var result = home.Tool("--use-proc", "-s", LabProcess.PortText).Expect(0);

        Assert.Equal(2, result.Log.Count(line => line.Contains(" to pid=")));
        result.ExpectSummary("closed=1");
        Assert.NotEqual(0, heir.WaitForEnd().ExitCode);
    }

    [Fact]
    public void Kill_ProcessOneAlsoHoldsTheSocket_SignalsNoHolder()
    {
        using var home = LabProcess.Start(s_own, "--count", "2", "--processes", "2", "--client-process");
        using var first = StartKeeper(home, ["unshare", "-p", "-f", "--kill-child", "--"]);
        home.Ask("give 0 /mnt/keeper");
        var result = home.Tool("--use-proc", "-s", LabProcess.PortText).Expect(1, "failed=1 closed=1");

        Assert.Single(result.Log, line => line.Contains(" to pid="));
        Assert.Single(result.Log, line => line.Contains(" error failed ") && line.Contains(" reason=owner_protected"));
        Assert.False(first.HasExited);
        home.ExpectState("processes dead=1");
        Assert.Equal("alive", home.List()[0].Server.View);
    }

    /// <summary>The bus accepts any message, with descriptors, for a client that reads nothing.</summary>
    [Fact]
    public void Kill_BusDaemonHasTheSocketQueued_IsNotSignalled()
    {
        Assert.SkipWhen(ServerHome.Find("dbus-daemon") is null, "dbus-daemon is not installed");
        using var home = LabProcess.Start(s_own, "--count", "0", "--port", "4999");
        File.WriteAllText(
            $"/proc/{home.Id}/root/mnt/bus.conf",
            """
            <!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN" "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
            <busconfig>
              <type>system</type>
              <listen>unix:path=/mnt/bus</listen>
              <auth>EXTERNAL</auth>
              <policy context="default">
                <allow user="*"/>
                <allow own="*"/>
                <allow send_type="*"/>
                <allow receive_type="*"/>
                <allow send_destination="*"/>
              </policy>
            </busconfig>
            """);
        using var bus = Command.Start([.. home.Inside(), "dbus-daemon", "--config-file=/mnt/bus.conf", "--nofork", "--nopidfile", "--nosyslog"]);
        Until.True(() => File.Exists($"/proc/{home.Id}/root/mnt/bus"), "the bus");
        using var user = Users.StartLab(home, Users.Nobody, "--count", "1", "--client-process");
        user.Ask("leave-in-bus 0 /mnt/bus");
        int daemon = NamespaceFarm.FirstChild(bus.Id);
        long inode = home.Sockets().Single(socket => socket is { LocalPort: LabProcess.Port, State: "established" }).Inode;
        Until.True(
            () => Directory.GetFiles($"/proc/{daemon}/fd").Any(fd => new FileInfo(fd).LinkTarget == $"socket:[{inode}]"), "the socket in the daemon");

        var result = home.Tool("--use-proc", "-s", LabProcess.PortText).Expect(1, "failed=1");

        Assert.DoesNotContain(result.Log, line => line.Contains(" to pid="));
        Assert.False(bus.HasExited);
        home.Tool("-s", LabProcess.PortText).Expect(0, "closed=1");
    }

    private static Command StartKeeper(LabProcess home, params string[] wrapper)
    {
        var keeper = Command.Start([.. home.Inside(), .. wrapper, Binaries.Lab, "keep", "-p", "/mnt/keeper"]);
        keeper.Await("READY");
        return keeper;
    }
}
