namespace TcpCloser.KernelTests;

/// <summary><c>--probe</c> without privilege: peers that cannot be probed are reported and skipped.</summary>
public sealed class ProbePrivilegeTests
{
    private const string Port = "7000";
    private const int Quiet = 1_100;
    private static readonly string[] s_asNobody = ["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups", "--inh-caps=-all", "--"];
    private static readonly string[] s_withoutNetAdmin = ["setpriv", "--bounding-set", "-net_admin", "--inh-caps", "-net_admin", "--"];

    /// <summary>If no socket can be probed, the run exits with 3 at once.</summary>
    [Fact]
    public void Probe_NoPrivilege_Exits3AndSendsNothing()
    {
        Assert.SkipWhen(Namespaces.NeedUserNamespace, "a user namespace has no second user");
        using var path = NetworkPath.Fast();
        (SocketRange near, _) = path.Connect(2);
        string[] options = near.AllOptions;
        near.WaitQuiet(Quiet);
        long segments = near.Info("segs-out");

        Result result = (path.Tool("-n", "-d", Port, "--probe", "1m") with { Wrapper = s_asNobody }).Run().Expect(3, "matched=2 idle=0 unasked=2");

        string warning = Assert.Single(result.Log, static line => line.Contains(" warning "));
        Assert.Contains("none of the 2 connections could be probed", warning, StringComparison.Ordinal);
        Assert.Contains("is missing", warning, StringComparison.Ordinal);
        Assert.Equal(["2 alive"], near.Views);
        Assert.Equal(options, near.AllOptions);
        Assert.Equal(segments, near.Info("segs-out"));
    }

    /// <summary>The sockets belong to the same user, but probing through them needs CAP_NET_ADMIN.</summary>
    [Fact]
    public void Probe_NoNetAdmin_Exits3AndNamesTheCapability()
    {
        using var path = NetworkPath.Fast();
        (SocketRange near, _) = path.Connect(2, options: "reuse");
        string[] options = near.AllOptions;
        near.WaitQuiet(Quiet);
        long segments = near.Info("segs-out");

        // Root without the capability cannot inspect processes that have it; so the Lab does not have it either.
        using SocketProcess own = SocketProcess.Start([.. path.Tool().Inside, .. s_withoutNetAdmin]);
        SocketRange ownNear = own.Connect($"{NetworkPath.Far4(2)} {NetworkPath.OtherPort} 2 reuse");
        ownNear.WaitQuiet(Quiet);
        Result result = (path.Tool("-d", "7000,7070", "--probe", "3s", "--json") with { Wrapper = s_withoutNetAdmin }).Run().Expect(3, "matched=4 unasked=4");

        string warning = Assert.Single(result.Log, static line => line.Contains(" warning "));
        Assert.Contains("CAP_NET_ADMIN", warning, StringComparison.Ordinal);
        Assert.Equal(options, near.AllOptions);
        Assert.Equal(segments, near.Info("segs-out"));
        Assert.Equal(["2 alive"], ownNear.Views);
    }

    /// <summary>
    /// One user's sockets can be probed and another's cannot: exit 1, and the silent connections of the first are
    /// closed.
    /// </summary>
    [Fact]
    public void Probe_OwnAndOtherUsersSockets_ProbesItsOwn()
    {
        Assert.SkipWhen(Namespaces.NeedUserNamespace, "a user namespace has no second user");
        using var path = NetworkPath.Fast();
        (SocketRange others, _) = path.Connect();
        string[] withNetAdmin = Users.As(Users.Nobody, "net_admin");
        using SocketProcess own = SocketProcess.Start([.. path.Tool().Inside, .. withNetAdmin]);
        SocketRange living = own.Connect($"{NetworkPath.Far4(2)} {NetworkPath.Port} 1");
        SocketRange silent = own.Connect($"{NetworkPath.Far4(3)} {NetworkPath.Port} 1");
        silent.WaitQuiet(Quiet);
        path.Vanish(3);

        Result result = (path.Tool("-d", Port, "--probe", "3s", "--json") with { Wrapper = withNetAdmin }).Run().Expect(1);

        Dictionary<long, string> outcomes = ProbeTests.Outcomes(result);
        Assert.Equal(("answered", "destroyed", "unasked"), (outcomes[living.Port], outcomes[silent.Port], outcomes[others.Port]));
        Assert.Contains("\"unasked\":1,", result.Stdout, StringComparison.Ordinal);
        Assert.Single(result.Log, static line => line.Contains(" warning 1 of 3 connections could not be probed and is skipped ")
            && line.Contains("CAP_"));
        Assert.Equal(["1 alive"], others.Views);
    }
}
