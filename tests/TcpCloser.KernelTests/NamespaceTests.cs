namespace TcpCloser.KernelTests;

/// <summary>Searching and closing in other network namespaces.</summary>
public sealed class NamespaceTests
{
    private const int Count = 50;
    private const int PerNamespace = 20;

    [Fact]
    public void AllNetns_FiftyNamespaces_ClosesTheMatchingHalfInEach()
    {
        using var farm = NamespaceFarm.Start(Count, "--count", $"{PerNamespace}", "--ports", "2");

        var table = farm.Home.Tool("-n", "--all-netns", "-s", LabProcess.PortText).Expect(0);
        var result = farm.Home.Tool("--all-netns", "--json", "-s", LabProcess.PortText).Expect(0);

        int expected = Count * PerNamespace / 2;
        result.ExpectSummary($"matched={expected} closed={expected}");
        var records = ConnectionRecord.Read(result);
        string[] rows = table.Stdout.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.StartsWith("NETNS", rows[0], StringComparison.Ordinal);
        Assert.Equal(expected + 1, rows.Length);
        for (int i = 0; i < Count; i++)
        {
            string name = $"ns{i}";
            Assert.Equal(PerNamespace / 2, result.Destroyed.Count(line => line.EndsWith($" netns={name}", StringComparison.Ordinal)));
            Assert.Equal(PerNamespace / 2, records.Count(record => record.Netns == name && record.Outcome == "destroyed"));
            Assert.Equal(PerNamespace / 2, rows.Count(row => row.StartsWith(name + " ", StringComparison.Ordinal)));
            var lab = farm.Labs[i];
            lab.WaitEnded(PerNamespace / 2);
            Assert.All(lab.List(), connection =>
            {
                bool dies = connection.ServerAddress.EndsWith(":" + LabProcess.PortText, StringComparison.Ordinal);
                Assert.Equal(dies ? "aborted" : "alive", connection.Server.View);
                Assert.Equal(dies ? "reset" : "alive", connection.Client.View);
                if (dies)
                {
                    Assert.Single(records, record => record.Netns == name && record.Ends == $"{connection.ServerAddress} {connection.ClientAddress}");
                }
            });
        }
    }

    [Fact]
    public void Netns_NameOrPathOrPid_SelectsTheNamespace()
    {
        using var farm = NamespaceFarm.Start(4, "--count", "2");
        int pid = NamespaceFarm.InnerId(farm.Labs[2]);
        var result = farm.Home.Tool("--netns", "ns0", "--netns", "/run/netns/ns1", "--netns", $"pid:{pid}", "-s", LabProcess.PortText).Expect(0, "closed=6");

        foreach (string name in new[] { "ns0", "/run/netns/ns1", $"pid:{pid}" })
        {
            Assert.Equal(2, result.Destroyed.Count(line => line.EndsWith($" netns={name}", StringComparison.Ordinal)));
        }
        farm.Labs[3].ExpectState("server alive=2");
        Assert.All(farm.Labs.Take(3), lab => Assert.Equal(2, lab.State()["server", "aborted"]));
    }

    /// <summary>A namespace that one round could not enter is tried again in the next.</summary>
    [Fact]
    public void Service_NamespaceAppearsLater_IsSearchedAndTheErrorsStop()
    {
        using var farm = NamespaceFarm.Start(0);
        using var service = new ToolRun(farm.Home).Start("-s", $"{LabProcess.Port}", "--netns", "later", "-i", "30ms");
        Until.True(() => service.Stderr.Contains("later") && service.Stderr.Contains(" error "), "the error about the missing namespace");

        var lab = farm.Add("netns/other", "--count", "3");
        Command.Run([.. farm.Home.Inside(), "sh", "-ec", "touch /run/netns/later; mount --bind /run/netns/other /run/netns/later"]).Expect(0);
        lab.WaitEnded(3);
        Until.True(() => service.Stderr.Contains("closed=3"), "the summary");
        int lines = service.Stderr.Split('\n').Length;
        int tool = NamespaceFarm.FirstChild(service.Id);
        ProcessNumbers.AwaitReads(tool, 200); // many rounds

        Assert.Equal(lines, service.Stderr.Split('\n').Length);
        Command.Run("kill", "-s", "TERM", $"{tool}");
        service.WaitForEnd().Expect(0);
    }

    /// <summary>As in an initramfs. Without /proc the program's own namespace has no file to return by.</summary>
    [Theory]
    [InlineData(3)]
    [InlineData(2, "--netns", "ns0")]
    public void Netns_NoProcMounted_IsSearched(int closed, params string[] selection)
    {
        using var farm = NamespaceFarm.Start(1, "--count", "2");
        using var home = LabProcess.Start(new LabEnvironment { Enter = farm.Home.Inside(), OwnProcesses = true }, "--count", "3");
        new ToolRun(farm.Home) { Wrapper = ["unshare", "-m", "sh", "-ec", "mount -t tmpfs none /proc; exec \"$@\"", "sh"] }
            .Run(["-s", LabProcess.PortText, .. selection]).Expect(0, $"closed={closed}");
        home.ExpectState($"server aborted={(closed == 3 ? 3 : 0)}");
        farm.Labs[0].ExpectState($"server aborted={(closed == 2 ? 2 : 0)}");
    }

    [Fact]
    public void Netns_SameNamespaceBySeveralNames_IsSearchedOnce()
    {
        using var farm = NamespaceFarm.Start(1, "--count", "3");
        int pid = NamespaceFarm.InnerId(farm.Labs[0]);
        farm.Home.Tool("-n", "--netns", "ns0", "--netns", $"pid:{pid}", "--netns", "/run/netns/ns0", "--all-netns", "-s", LabProcess.PortText).Expect(0, "matched=3");
        farm.Home.Tool("--all-netns", "-s", LabProcess.PortText).Expect(0, "closed=3");
    }

    [Theory]
    [Values("absent", "/run/netns/absent", "pid:4194304")]
    public void Netns_OneMissing_IsReportedAndTheOthersAreSearched(string name)
    {
        using var farm = NamespaceFarm.Start(2, "--count", "2");
        var result = farm.Home.Tool("--netns", "ns0", "--netns", name, "--netns", "ns1", "-s", LabProcess.PortText).Expect(1, "closed=4");
        Assert.Single(result.Log, line => line.Contains(" error ") && line.Contains(name));
    }

    [Theory]
    [Rows("netns/box | box", "docker/netns/box | /run/docker/netns/box")]
    public void AllNetns_NamespaceHeldByABindMountOnly_IsSearched(string file, string name)
    {
        using var farm = NamespaceFarm.Start(0);
        farm.End(farm.Add(file, "--count", "2", "--state", "time-wait")); // TIME_WAIT outlives its process
        var result = farm.Home.Tool("--all-netns", "-s", LabProcess.PortText, "--state", "time-wait").Expect(0, "closed=2");
        Assert.All(result.Destroyed, line => Assert.EndsWith($" netns={name}", line, StringComparison.Ordinal));
    }

    [Fact]
    public void AllNetns_NameWithControlCharacters_IsEscapedInLogAndRecords()
    {
        using var farm = NamespaceFarm.Start(0);
        farm.Add(@"netns/line\nbreak\042quote\134", "--count", "1");
        farm.Add(@"netns/two words", "--count", "1");
        var result = farm.Home.Tool("--all-netns", "--json", "-s", LabProcess.PortText).Expect(0, "closed=2");
        Assert.Single(result.Destroyed, line => line.EndsWith(@" netns=line\x0Abreak\x22quote\x5C", StringComparison.Ordinal));
        Assert.Single(result.Destroyed, line => line.EndsWith(" netns=\"two words\"", StringComparison.Ordinal));
        Assert.Equal(["line\nbreak\"quote\\x5C", "two words"], ConnectionRecord.Read(result).Select(record => record.Netns).Order(StringComparer.Ordinal));
    }

    [Fact]
    public void AllNetns_InterfaceAndPidSelectors_ApplyWithinEachNamespace()
    {
        using var farm = NamespaceFarm.Start(2, "--count", "2", "--bind-device", "lo");
        int holder = farm.Labs[1].Processes("server").Single();
        farm.Home.Tool("-n", "--all-netns", "--interface", "lo", "-s", LabProcess.PortText).Expect(0, "matched=4");
        farm.Home.Tool("--all-netns", "--pid", $"{holder}", "-s", LabProcess.PortText).Expect(0, "closed=2");
        farm.Labs[1].ExpectState("server aborted=2");
        farm.Labs[0].ExpectState("server alive=2");
    }

    [Theory]
    [Values("unshare -n -p -f --mount-proc --kill-child", "unshare -U -r -n", "unshare -U -r -n -p -f --mount-proc --kill-child")]
    public void Disconnect_OwnerInOtherNamespacesOfEveryKind_IsClosed(string enter)
    {
        using var home = LabProcess.StartIsolated("--count", "0", "--port", "4999");
        // The first user namespace has no second user, but another one may be created in it.
        using var lab = LabProcess.Start(new LabEnvironment { Enter = home.Inside(), Preparation = $"set -- {enter} \"$@\"" }, "--count", "2", "--client-process");
        home.Tool("--method", "disconnect", "--all-netns", "-s", LabProcess.PortText).Expect(0, "closed=2");
        lab.WaitEnded(2);
        Assert.All(lab.List(), connection => Assert.Equal("ECONNRESET,eof", connection.Server.Saw));
        lab.ExpectState("processes dead=0");
        lab.AwaitState("client reset=2");
    }
}
