namespace TcpCloser.KernelTests;

/// <summary>
/// Files in /run/netns that are not namespaces, and names that are not UTF-8; the other namespaces are searched all the
/// same.
/// </summary>
public sealed class NamespaceFailureTests
{
    [Theory]
    [Values("auto", "disconnect", "kill")]
    public void Netns_PlainFileNamed_IsReportedAndTheOthersAreSearched(string method)
    {
        using var farm = NamespaceFarm.Start(2, "--count", "2", "--client-process");
        Command.Run([.. farm.Home.Inside(), "touch", "/run/netns/plain"]).Expect(0);
        var result = farm.Home.Tool("--method", method, "-s", LabProcess.PortText, "--netns", "ns0", "--netns", "plain", "--netns", "ns1").Expect(1, "closed=4 failed=0");
        Assert.Single(result.Log, line => line.Contains(" error "));
        Assert.Single(result.Log, line => line.Contains(" error ") && line.Contains("plain"));
        Assert.All(farm.Labs, lab => Assert.Equal(0, lab.State()["client", "alive"]));
    }

    /// <summary>ip-netns(8) creates such a file first, before it mounts the namespace on it.</summary>
    [Fact]
    public void AllNetns_PlainFileFound_IsIgnoredAsANamespaceInTheMaking()
    {
        using var farm = NamespaceFarm.Start(2, "--count", "2", "--client-process");
        Command.Run([.. farm.Home.Inside(), "touch", "/run/netns/plain"]).Expect(0);
        var result = farm.Home.Tool("-v", "-s", LabProcess.PortText, "--all-netns").Expect(0, "closed=4");
        Assert.DoesNotContain("plain", result.Stderr, StringComparison.Ordinal);
        Assert.All(farm.Labs, lab => Assert.Equal(0, lab.State()["client", "alive"]));
    }

    [Fact]
    public void AllNetns_NameNotUtf8AndNoProcessInside_IsSearched()
    {
        using var farm = NamespaceFarm.Start(0);
        farm.End(farm.Add(@"netns/bad\377name", "--count", "2", "--state", "time-wait"));
        var result = farm.Home.Tool("--all-netns", "-s", LabProcess.PortText, "--state", "time-wait").Expect(0, "closed=2");
        Assert.All(result.Destroyed, line => Assert.EndsWith(@" netns=bad\xFFname", line, StringComparison.Ordinal));
    }
}
