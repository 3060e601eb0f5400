using TcpCloser.KernelTests.Harness;
using Xunit;

namespace TcpCloser.KernelTests;

/// <summary>A listener on the same port is never touched unless it is named, whatever happens to its connections meanwhile.</summary>
public sealed class ListenerTests
{
    [Theory]
    [InlineData("established")]
    [InlineData("all")]
    [InlineData("connected")]
    [InlineData("synchronized")]
    public void NoGroupOfStatesContainsTheListener(string states)
    {
        using var lab = LabProcess.Start("--count", "2");

        lab.Tool("-s", $"{LabProcess.Port}", "--state", states).Expect(0);

        Assert.Equal(2, lab.State()["server", "aborted"]);
        Assert.Equal(1, lab.State()["listener", "alive"]);
    }

    /// <summary>The kernel finds one of a group by hash, and so not always the one that is meant.</summary>
    [Theory]
    [InlineData("destroy")]
    [InlineData("auto")]
    [InlineData("disconnect")]
    public void AllListenersOfAGroupAreClosedWhereTheyAreNamed(string method)
    {
        using var lab = LabProcess.Start("--count", "0", "--state", "listen", "--listeners", "8", "--ports", "2");
        Assert.Equal(16, lab.State()["listener", "alive"]);

        var result = lab.Tool("--method", method, "-s", $"{LabProcess.Port}", "--state", "listen").Expect(0);

        Assert.Equal(8, result.Summary("matched"));
        Assert.Equal(8, result.Summary("closed"));
        Assert.Equal(8, lab.State()["listener", "dead"]);
        Assert.Single(lab.Sockets().Where(socket => socket.State == "listening").Select(socket => socket.LocalPort).Distinct());
    }

    /// <summary>Of two connections that differ only in their device the kernel finds the one without for either.</summary>
    [Theory]
    [InlineData("destroy", false)]
    [InlineData("auto", false)]
    [InlineData("auto", true)]
    [InlineData("disconnect", true)]
    public void ConnectionsThatDifferOnlyInTheirDeviceAreToldApart(string method, bool onlyOne)
    {
        using var lab = LabProcess.Start("--count", "4", "--state", "syn-sent", "--twin-device", "lo");
        string[] which = onlyOne ? ["--interface", "lo"] : [];

        var result = lab.Tool(["--method", method, "-d", $"{LabProcess.Port}", "--state", "syn-sent", .. which]).Expect(0);

        Assert.Equal(onlyOne ? 2 : 4, result.Summary("matched"));
        Assert.Equal(onlyOne ? 2 : 4, result.Summary("closed"));
        Assert.Equal([true, !onlyOne, true, !onlyOne], lab.List().Select(connection => connection.Client.View != "alive"));
    }

    /// <summary>Destroy alone cannot reach that one, and does not call it vanished.</summary>
    [Fact]
    public void WhatTheKernelDoesNotFindAndIsThereHasFailed()
    {
        using var lab = LabProcess.Start("--count", "2", "--state", "syn-sent", "--twin-device", "lo");

        var result = lab.Tool("--method", "destroy", "--interface", "lo", "-d", $"{LabProcess.Port}", "--state", "syn-sent").Expect(1);

        Assert.Equal(1, result.Summary("failed"));
        Assert.Equal(0, result.Summary("vanished"));
        Assert.Single(result.Log, line => line.Contains(" error failed ", StringComparison.Ordinal) && line.Contains("still there", StringComparison.Ordinal));
        Assert.Equal(2, lab.State()["client", "alive"]);
    }

    [Theory]
    [InlineData("v4")]
    [InlineData("v6")]
    [InlineData("dual")]
    public void AListenerSurvivesWhenItsConnectionIsGoneBeforeTheDestroy(string family)
    {
        using var lab = LabProcess.Start("--count", "3", "--family", family);
        using TemporaryFolder folder = new();
        string option = family == "v6" ? "-6" : "-4";
        Strace strace = new(folder.File("trace"));
        int dumps = strace.CountDumps(lab, option, "-s", $"{LabProcess.Port}");
        using var tool = new ToolRun(lab)
        {
            Wrapper = strace.Injecting($"delay_enter=3s:when={dumps + 1}"),
            Arguments = [option, "-s", $"{LabProcess.Port}", "--disable-syslog"],
        }.Start();
        // strace writes down what it holds back: the dumps are done, and the program stands before its next message.
        Until.True(() => strace.Sends > dumps, "the destroy, held back");

        lab.Ask("close-clients"); // the client's FIN first, so that no TIME_WAIT of the server's end remains
        Until.True(() => lab.List().TrueForAll(connection => connection.Server.Tcp == "close-wait"), "the clients' FINs");
        lab.Ask("close-servers");
        Until.True(() => lab.Sockets().Count(socket => socket.LocalPort == LabProcess.Port) == 1, "only the listener");
        var result = tool.WaitForEnd().Expect(0);

        Assert.Equal(1, lab.State()["listener", "alive"]);
        Assert.True(strace.SawDestroy);
        Assert.Equal(3, result.Summary("matched"));
        Assert.Equal(3, result.Summary("vanished"));
        Assert.Equal(0, result.Summary("closed"));
        Assert.Equal(0, result.Summary("failed"));
        Assert.Empty(result.Destroyed);
    }
}
