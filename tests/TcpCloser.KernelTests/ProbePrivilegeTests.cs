using TcpCloser.KernelTests.Harness;
using TcpCloser.KernelTests.Harness.Paths;
using Xunit;

namespace TcpCloser.KernelTests;

/// <summary><c>--probe</c> without privilege: what cannot be asked is said, and left alone.</summary>
public sealed class ProbePrivilegeTests
{
    private static readonly string[] s_asNobody = ["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups", "--inh-caps=-all", "--"];

    /// <summary>Where no socket can be asked: exit 3.</summary>
    [Fact]
    public void NothingCanBeAsked()
    {
        Assert.SkipWhen(Namespaces.NeedUserNamespace, "a user namespace has no second user");
        using var path = NetworkPath.AtOnce();
        (SocketRange near, _) = path.Connect(2);
        near.WaitQuiet(3_100);

        Result result = (path.Tool("-n", "-d", $"{NetworkPath.Port}", "--probe", "3s") with { Wrapper = s_asNobody }).Run().Expect(3);

        Assert.Equal((2, 2), (result.Summary("matched"), result.Summary("failed")));
        Assert.Contains(result.Log, static line => line.Contains("CAP_SYS_PTRACE", StringComparison.Ordinal));
        Assert.Equal(["2 alive"], near.Looks);
        Assert.Equal(["2 on=0 idle=7200 interval=75 count=9 user-timeout=0"], near.Options);
    }

    /// <summary>Where one's own can be asked and another's cannot: exit 1.</summary>
    [Fact]
    public void OnesOwnCanBeAsked()
    {
        Assert.SkipWhen(Namespaces.NeedUserNamespace, "a user namespace has no second user");
        using var path = NetworkPath.AtOnce();
        (SocketRange others, _) = path.Connect();
        using SocketProcess own = SocketProcess.Start([.. path.Tool().Inside, .. s_asNobody]);
        SocketRange near = own.Connect($"{NetworkPath.Far4(2)} {NetworkPath.Port} 1");
        near.WaitQuiet(3_100);

        Result result = (path.Tool("-d", $"{NetworkPath.Port}", "--probe", "3s", "--json") with { Wrapper = s_asNobody }).Run().Expect(1);

        Dictionary<long, string> outcomes = ProbeTests.Outcomes(result);
        Assert.Equal(("answered", "failed"), (outcomes[near.Port], outcomes[others.Port]));
        Assert.Contains(result.Log, static line => line.Contains("CAP_SYS_PTRACE", StringComparison.Ordinal));
        Assert.Equal(["1 on=0 idle=7200 interval=75 count=9 user-timeout=0"], near.Options);
    }
}
