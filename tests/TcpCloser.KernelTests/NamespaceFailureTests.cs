using System.Globalization;
using TcpCloser.KernelTests.Harness;
using TcpCloser.KernelTests.Harness.Reach;
using Xunit;

namespace TcpCloser.KernelTests;

/// <summary>A file in /run/netns that is no namespace, and a name that is no text: told or found, and the others are closed all the same.</summary>
public sealed class NamespaceFailureTests
{
    private static readonly string s_port = LabProcess.Port.ToString(CultureInfo.InvariantCulture);

    [Theory]
    [InlineData("auto")]
    [InlineData("disconnect")]
    [InlineData("kill")]
    public void APlainFileThatIsNamedIsReportedAndTheOthersAreClosed(string method)
    {
        using var farm = NamespaceFarm.Start(2, "--count", "2", "--client-process");
        Command.Run([.. farm.Home.Inside(), "touch", "/run/netns/plain"]).Expect(0);

        var result = farm.Home.Tool("--method", method, "-s", s_port, "--netns", "ns0", "--netns", "plain", "--netns", "ns1").Expect(1);

        Assert.Equal(4, result.Summary("closed"));
        Assert.Equal(0, result.Summary("failed"));
        Assert.Single(result.Log, line => line.Contains(" error ", StringComparison.Ordinal));
        Assert.Single(result.Log, line => line.Contains(" error ", StringComparison.Ordinal) && line.Contains("plain", StringComparison.Ordinal));
        Assert.All(farm.Labs, lab => Assert.Equal(0, lab.State()["client", "alive"]));
    }

    /// <summary>Such a file is what ip-netns(8) makes first, before it mounts the namespace on it.</summary>
    [Fact]
    public void APlainFileThatIsOnlyFoundIsANamespaceStillBeingMade()
    {
        using var farm = NamespaceFarm.Start(2, "--count", "2", "--client-process");
        Command.Run([.. farm.Home.Inside(), "touch", "/run/netns/plain"]).Expect(0);

        var result = farm.Home.Tool("-v", "-s", s_port, "--all-netns").Expect(0);

        Assert.Equal(4, result.Summary("closed"));
        Assert.DoesNotContain("plain", result.Stderr, StringComparison.Ordinal);
        Assert.All(farm.Labs, lab => Assert.Equal(0, lab.State()["client", "alive"]));
    }

    [Fact]
    public void ANameThatIsNoTextIsFoundAlsoWhereNoProcessHoldsTheNamespace()
    {
        using var farm = NamespaceFarm.Start(0);
        farm.End(farm.Add(@"netns/bad\377name", "--count", "2", "--state", "time-wait"));

        var result = farm.Home.Tool("--all-netns", "-s", s_port, "--state", "time-wait").Expect(0);

        Assert.Equal(2, result.Summary("closed"));
        Assert.All(result.Destroyed, line => Assert.EndsWith(@" netns=bad\xFFname", line, StringComparison.Ordinal));
    }
}
