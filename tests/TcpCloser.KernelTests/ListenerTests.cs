namespace TcpCloser.KernelTests;

/// <summary>A listener on the same port is never closed unless it is selected, whatever happens to its connections meanwhile.</summary>
public sealed class ListenerTests
{
    [Theory]
    [Values("established", "all", "connected", "synchronized")]
    public void State_EveryGroupOfStates_LeavesTheListenerOpen(string states)
    {
        using var lab = LabProcess.Start("--count", "2");
        lab.Tool("-s", $"{LabProcess.Port}", "--state", states).Expect(0);
        lab.ExpectState("server aborted=2, listener alive=1");
    }

    /// <summary>
    /// The kernel picks a listener of the SO_REUSEPORT group by hash, selection is not always the one that was
    /// requested.
    /// </summary>
    [Theory]
    [Values("destroy", "auto", "disconnect")]
    public void StateListen_ReuseportGroup_ClosesAllItsListeners(string method)
    {
        using var lab = LabProcess.Start("--count", "0", "--state", "listen", "--listeners", "8", "--ports", "2");
        lab.ExpectState("listener alive=16");
        lab.Tool("--method", method, "-s", $"{LabProcess.Port}", "--state", "listen").Expect(0, "matched=8 closed=8");
        lab.ExpectState("listener dead=8");
        Assert.Single(lab.Sockets().Where(socket => socket.State == "listen").Select(socket => socket.LocalPort).Distinct());
    }

    /// <summary>Of two connections that differ only in their device, the kernel finds the one without a device for both requests.</summary>
    [Theory]
    [Rows("destroy | false", "auto | false", "auto | true", "disconnect | true")]
    public void Close_ConnectionsThatDifferOnlyInDevice_ClosesExactlyTheSelected(string method, bool onlyOne)
    {
        using var lab = LabProcess.Start("--count", "4", "--state", "syn-sent", "--twin-device", "lo");
        string[] selection = onlyOne ? ["--interface", "lo"] : [];
        var result = lab.Tool(["--method", method, "-d", $"{LabProcess.Port}", "--state", "syn-sent", .. selection]).Expect(0);
        result.ExpectSummary($"matched={(onlyOne ? 2 : 4)} closed={(onlyOne ? 2 : 4)}");
        Assert.Equal([true, !onlyOne, true, !onlyOne], lab.List().Select(connection => connection.Client.View != "alive"));
    }

    /// <summary>Destroy cannot reach the connection with the device, and must not report it as vanished.</summary>
    [Fact]
    public void Destroy_KernelDoesNotFindAnOpenConnection_ReportsFailed()
    {
        using var lab = LabProcess.Start("--count", "2", "--state", "syn-sent", "--twin-device", "lo");
        var result = lab.Tool("--method", "destroy", "--interface", "lo", "-d", $"{LabProcess.Port}", "--state", "syn-sent").Expect(1, "failed=1 vanished=0");
        Assert.Single(result.Log, line => line.Contains(" error failed ") && line.Contains(" reason=still_there"));
        lab.ExpectState("client alive=2");
    }

    [Theory]
    [Values("v4", "v6", "dual")]
    public void Destroy_ConnectionsEndBeforehand_ListenerSurvives(string family)
    {
        using var lab = LabProcess.Start("--count", "3", "--family", family);
        string option = family == "v6" ? "-6" : "-4";
        using Strace strace = new();
        int dumps = strace.CountDumps(lab, option, "-s", $"{LabProcess.Port}");
        using var tool = new ToolRun(lab) { Wrapper = strace.Injecting($"delay_enter=3s:when={dumps + 1}") }
            .Start(option, "-s", $"{LabProcess.Port}");
        // strace records a call that it delays: the dumps are done, and the program waits in its next message.
        Until.True(() => strace.Sends > dumps, "the delayed destroy");

        lab.Ask("close-clients"); // the client's FIN first, so that no TIME_WAIT of the server's end remains
        Until.True(() => lab.List().TrueForAll(connection => connection.Server.Tcp == "close-wait"), "the clients' FINs");
        lab.Ask("close-servers");
        Until.True(() => lab.Sockets().Count(socket => socket.LocalPort == LabProcess.Port) == 1, "only the listener");
        var result = tool.WaitForEnd().Expect(0);

        lab.ExpectState("listener alive=1");
        Assert.True(strace.SawDestroy);
        result.ExpectSummary("matched=3 vanished=3 closed=0 failed=0");
        Assert.Empty(result.Destroyed);
    }
}
