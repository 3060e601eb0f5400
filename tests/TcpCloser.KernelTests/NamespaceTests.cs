using System.Globalization;
using TcpCloser.KernelTests.Harness;
using TcpCloser.KernelTests.Harness.Reach;
using Xunit;

namespace TcpCloser.KernelTests;

/// <summary>Looking and closing in other network namespaces.</summary>
public sealed class NamespaceTests
{
    private const int Count = 50;
    private const int PerNamespace = 20;
    private static readonly string s_port = LabProcess.Port.ToString(CultureInfo.InvariantCulture);

    [Fact]
    public void HalfOfTheConnectionsInFiftyNamespacesAreClosed()
    {
        using var farm = NamespaceFarm.Start(Count, "--count", $"{PerNamespace}", "--ports", "2");

        var table = farm.Home.Tool("-n", "--all-netns", "-s", s_port).Expect(0);
        var result = farm.Home.Tool("--all-netns", "--json", "-s", s_port).Expect(0);

        int expected = Count * PerNamespace / 2;
        Assert.Equal(expected, result.Summary("matched"));
        Assert.Equal(expected, result.Summary("closed"));
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
                bool dies = connection.ServerAddress.EndsWith(":" + s_port, StringComparison.Ordinal);
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
    public void NamespacesAreNamedByNameByPathAndByProcess()
    {
        using var farm = NamespaceFarm.Start(4, "--count", "2");
        int pid = NamespaceFarm.InnerId(farm.Labs[2]);

        var result = farm.Home.Tool("--netns", "ns0", "--netns", "/run/netns/ns1", "--netns", $"pid:{pid}", "-s", s_port).Expect(0);

        Assert.Equal(6, result.Summary("closed"));
        foreach (string name in new[] { "ns0", "/run/netns/ns1", $"pid:{pid}" })
        {
            Assert.Equal(2, result.Destroyed.Count(line => line.EndsWith($" netns={name}", StringComparison.Ordinal)));
        }

        Assert.Equal(2, farm.Labs[3].State()["server", "alive"]);
        Assert.All(farm.Labs.Take(3), lab => Assert.Equal(2, lab.State()["server", "aborted"]));
    }

    /// <summary>What a round of a service could not look at is nothing to the next.</summary>
    [Fact]
    public void ANamespaceThatComesLaterIsLookedAtAndTheServiceFallsSilent()
    {
        using var farm = NamespaceFarm.Start(0);
        using var service = new ToolRun(farm.Home)
        {
            Arguments = ["-s", $"{LabProcess.Port}", "--netns", "later", "-i", "30ms", "--disable-syslog"],
        }.Start();
        Until.True(() => service.Stderr.Contains("later", StringComparison.Ordinal) && service.Stderr.Contains(" error ", StringComparison.Ordinal), "what is missing");

        var lab = farm.Add("netns/other", "--count", "3");
        Command.Run([.. farm.Home.Inside(), "sh", "-ec", "touch /run/netns/later; mount --bind /run/netns/other /run/netns/later"]).Expect(0);
        lab.WaitEnded(3);
        Until.True(() => service.Stderr.Contains("closed=3", StringComparison.Ordinal), "the summary");
        int lines = service.Stderr.Split('\n').Length;
        int tool = NamespaceFarm.FirstBelow(service.Id);
        ProcessNumbers.AwaitReads(tool, 200); // many rounds

        Assert.Equal(lines, service.Stderr.Split('\n').Length);
        Command.Run("kill", "-s", "TERM", $"{tool}");
        service.WaitForEnd().Expect(0);
    }

    [Fact]
    public void ANamespaceOfSeveralNamesIsLookedAtOnce()
    {
        using var farm = NamespaceFarm.Start(1, "--count", "3");
        int pid = NamespaceFarm.InnerId(farm.Labs[0]);

        Assert.Equal(3, farm.Home.Tool("-n", "--netns", "ns0", "--netns", $"pid:{pid}", "--netns", "/run/netns/ns0", "--all-netns", "-s", s_port).Expect(0).Summary("matched"));
        Assert.Equal(3, farm.Home.Tool("--all-netns", "-s", s_port).Expect(0).Summary("closed"));
    }

    [Theory]
    [InlineData("absent")]
    [InlineData("/run/netns/absent")]
    [InlineData("pid:4194304")]
    public void OneThatCannotBeEnteredIsReportedAndTheOthersGoOn(string name)
    {
        using var farm = NamespaceFarm.Start(2, "--count", "2");

        var result = farm.Home.Tool("--netns", "ns0", "--netns", name, "--netns", "ns1", "-s", s_port).Expect(1);

        Assert.Equal(4, result.Summary("closed"));
        Assert.Single(result.Log, line => line.Contains(" error ", StringComparison.Ordinal) && line.Contains(name, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("netns/box", "box")]
    [InlineData("docker/netns/box", "/run/docker/netns/box")]
    public void ANamespaceThatOnlyABindMountHoldsIsFound(string file, string name)
    {
        using var farm = NamespaceFarm.Start(0);
        farm.End(farm.Add(file, "--count", "2", "--state", "time-wait")); // which outlives its process

        var result = farm.Home.Tool("--all-netns", "-s", s_port, "--state", "time-wait").Expect(0);

        Assert.Equal(2, result.Summary("closed"));
        Assert.All(result.Destroyed, line => Assert.EndsWith($" netns={name}", line, StringComparison.Ordinal));
    }

    [Fact]
    public void ANameOfAnyBytesIsFoundAndWrittenSoThatItForgesNothing()
    {
        using var farm = NamespaceFarm.Start(0);
        farm.Add(@"netns/line\nbreak\042quote\134", "--count", "1");
        farm.Add(@"netns/two words", "--count", "1");

        var result = farm.Home.Tool("--all-netns", "--json", "-s", s_port).Expect(0);

        Assert.Equal(2, result.Summary("closed"));
        Assert.Single(result.Destroyed, line => line.EndsWith(@" netns=line\x0Abreak\x22quote\x5C", StringComparison.Ordinal));
        Assert.Single(result.Destroyed, line => line.EndsWith(" netns=\"two words\"", StringComparison.Ordinal));
        Assert.Equal(["line\nbreak\"quote\\x5C", "two words"], ConnectionRecord.Read(result).Select(record => record.Netns).Order(StringComparer.Ordinal));
    }

    [Fact]
    public void TheDeviceAndTheOwnerAreThoseOfEachNamespace()
    {
        using var farm = NamespaceFarm.Start(2, "--count", "2", "--bind-device", "lo");
        int holder = farm.Labs[1].Processes("server").Single();

        Assert.Equal(4, farm.Home.Tool("-n", "--all-netns", "--interface", "lo", "-s", s_port).Expect(0).Summary("matched"));
        var result = farm.Home.Tool("--all-netns", "--pid", $"{holder}", "-s", s_port).Expect(0);

        Assert.Equal(2, result.Summary("closed"));
        Assert.Equal(2, farm.Labs[1].State()["server", "aborted"]);
        Assert.Equal(2, farm.Labs[0].State()["server", "alive"]);
    }

    [Theory]
    [InlineData("--method", "disconnect", "ECONNRESET,eof")]
    [InlineData("--method", "kill", "")]
    public void OtherMethodsReachThereToo(string option, string method, string owner)
    {
        using var farm = NamespaceFarm.Start(2, "--count", "2", "--client-process");

        var result = farm.Home.Tool(option, method, "--netns", "ns0", "-s", s_port).Expect(0);

        Assert.Equal(2, result.Summary("closed"));
        Assert.Equal(2, farm.Labs[1].State()["server", "alive"]);
        Assert.All(farm.Labs[0].List(), connection => Assert.Equal(owner, connection.Server.Saw));
        Assert.Equal(method == "kill" ? 1 : 0, farm.Labs[0].State()["processes", "dead"]);
    }

    [Theory]
    [InlineData("unshare -n -p -f --mount-proc --kill-child")]
    [InlineData("unshare -U -r -n")]
    [InlineData("unshare -U -r -n -p -f --mount-proc --kill-child")]
    public void AnOwnerInOtherNamespacesOfEveryKindIsDisconnected(string enter)
    {
        using var home = LabProcess.Start(new LabSurroundings { OwnProcesses = true }, "--count", "0", "--port", "4999");
        // The first user namespace has no other user, but one more may be made in it.
        using var lab = LabProcess.Start(new LabSurroundings { Within = home, Preparation = $"set -- {enter} \"$@\"" }, "--count", "2", "--client-process");

        var result = home.Tool("--method", "disconnect", "--all-netns", "-s", s_port).Expect(0);

        Assert.Equal(2, result.Summary("closed"));
        lab.WaitEnded(2);
        Assert.All(lab.List(), connection => Assert.Equal("ECONNRESET,eof", connection.Server.Saw));
        Assert.Equal(2, lab.State()["client", "reset"]);
        Assert.Equal(0, lab.State()["processes", "dead"]);
    }
}
