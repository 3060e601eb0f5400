using System.Globalization;
using TcpCloser.KernelTests.Harness;
using TcpCloser.KernelTests.Harness.Reach;
using Xunit;

namespace TcpCloser.KernelTests;

/// <summary>Selectors that name what is not there, or what may not be seen.</summary>
public sealed class SelectorErrorTests
{
    [Theory]
    [InlineData("-n")]
    [InlineData("-v")]
    public void AMarkWithoutPrivilegeIsAClearError(string option)
    {
        using var lab = LabProcess.Start("--count", "2", "--mark", "7");

        var result = new ToolRun(lab) { Arguments = [option, "--mark", "7", "--disable-syslog"] }.Unprivileged().Run().Expect(3);

        Assert.Contains(result.Log, line => line.Contains("mark", StringComparison.Ordinal) && line.Contains("CAP_NET_ADMIN", StringComparison.Ordinal));
        Assert.Equal(2, lab.State()["server", "alive"]);
    }

    [Theory]
    [InlineData("--interface", "none0")]
    [InlineData("--comm", "nobody-has-this")]
    [InlineData("--pid", "4194304")]
    [InlineData("--cgroup", "/sys/fs/cgroup/nothing/here")]
    [InlineData("--mark", "99")]
    [InlineData("--uid", "4242")]
    [InlineData("--src", "192.0.2.1")]
    public void WhatIsNotThereMatchesNothing(string option, string value)
    {
        using var lab = LabProcess.Start("--count", "2");

        var result = lab.Tool(option, value, "-s", "1-65535").Expect(0);

        Assert.Equal(0, result.Summary("matched"));
        Assert.Equal(2, lab.State()["server", "alive"]);
    }

    [Fact]
    public void AUserByNameIsTheUserByNumber()
    {
        string[] root = File.ReadLines("/etc/passwd").First(line => line.Split(':')[2] == "0").Split(':');
        using var lab = LabProcess.Start("--count", "2");

        Assert.Equal(4, lab.Tool("-n", "--uid", root[0], "-s", "1-65535").Expect(0).Summary("matched"));
        lab.Tool("--uid", "no-such-user", "-s", "1-65535").Expect(2);
    }

    [Fact]
    public void ACgroupsConnectionsAreClosedAndOthersAreNot()
    {
        Namespaces.Require();
        using var cgroups = CgroupTree.TryMake();
        Assert.SkipWhen(cgroups is null, "no cgroup v2 that may be written to");
        LabSurroundings inside = new() { Preparation = $"echo $$ >{cgroups.Paths["a"]}/cgroup.procs" };
        using var lab = LabProcess.Start("--count", "3");
        using var grouped = LabProcess.Start(inside with { Within = lab }, "--count", "2", "--port", "5100");

        var result = lab.Tool("--cgroup", cgroups.Paths["a"], "-s", "1-5999").Expect(0);

        Assert.Equal(2, result.Summary("closed"));
        Assert.Equal(2, grouped.State()["server", "aborted"]);
        Assert.Equal(3, lab.State()["server", "alive"]);
    }

    [Fact]
    public void APidOfSomebodyElseNeedsPrivilegeAndSaysSo()
    {
        using var lab = LabProcess.Start("--count", "2");
        Assert.SkipWhen(Namespaces.NeedUserNamespace, "in a user namespace there is no second user to be");
        string pid = lab.Processes("server").Single().ToString(CultureInfo.InvariantCulture);

        var result = new ToolRun(lab)
        {
            Wrapper = ["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups"],
            Arguments = ["--pid", pid, "-s", $"{LabProcess.Port}", "--disable-syslog"],
        }.Run().Expect(3);

        Assert.Contains("CAP_SYS_PTRACE", result.Stderr, StringComparison.Ordinal);
        Assert.Equal(2, lab.State()["server", "alive"]);
    }
}
