namespace TcpCloser.KernelTests;

/// <summary><c>--src-gone</c>: connections whose local address no longer exists in the network namespace, and no others.</summary>
public sealed class SrcGoneTests
{
    private const string Warning = " warning a local route accepts every address";

    /// <summary>
    /// A virtual address is removed, of either family and on a dual-stack socket; one that was moved to another device still
    /// exists.
    /// </summary>
    [Fact]
    public void SrcGone_AddressRemoved_ClosesItsConnectionsOnly()
    {
        using var path = NetworkPath.Fast();
        path.InNear("for i in 1 2; do ip addr add 10.9.0.10$i/24 dev slow0; ip addr add fd09::10$i/64 dev slow0 nodad; done");
        (SocketRange stays4, _) = path.Connect();
        (SocketRange stays6, _) = path.Connect(to: NetworkPath.Far6(2));
        (SocketRange gone4, _) = path.Connect(options: "from=10.9.0.101");
        (SocketRange gone6, _) = path.Connect(to: NetworkPath.Far6(2), options: "from=fd09::101");
        (SocketRange goneMapped, _) = path.Connect(to: "::ffff:10.9.0.2", options: "from=::ffff:10.9.0.101");
        (SocketRange moved4, _) = path.Connect(options: "from=10.9.0.102");
        (SocketRange moved6, _) = path.Connect(to: NetworkPath.Far6(2), options: "from=fd09::102");
        path.InNear("""
            for i in 1 2; do ip addr del 10.9.0.10$i/24 dev slow0; ip addr del fd09::10$i/64 dev slow0; done
            ip addr add 10.9.0.102/32 dev lo; ip addr add fd09::102/128 dev lo
            """);

        Result result = path.Tool("--src-gone", "-4", "-6", "-v").Run().Expect(0, "matched=7 closed=3");

        Assert.Equal(4, result.Log.Count(static line => line.Contains(" reason=address_present")));
        Assert.All([gone4, gone6, goneMapped], static socket => Assert.Equal(["1 ECONNABORTED"], socket.Views));
        Assert.All([stays4, stays6, moved4, moved6], static socket => Assert.Equal(["1 alive"], socket.Views));
    }

    /// <summary>As documented: there is no route for the reset of an IPv4 connection any more, so its peer is not informed.</summary>
    [Fact]
    public void SrcGone_ClosedConnection_OnlyTheIPv6PeerGetsAReset()
    {
        using var path = NetworkPath.Fast();
        path.InNear("ip addr add 10.9.0.101/24 dev slow0; ip addr add fd09::101/64 dev slow0 nodad");
        (SocketRange near4, SocketRange far4) = path.Connect(options: "from=10.9.0.101");
        (SocketRange near6, SocketRange far6) = path.Connect(to: NetworkPath.Far6(2), options: "from=fd09::101");
        path.InNear("ip addr del 10.9.0.101/24 dev slow0; ip addr del fd09::101/64 dev slow0");

        path.Tool("--src-gone").Run().Expect(0, "closed=2");

        Assert.All([near4, near6], static socket => Assert.Equal(["1 ECONNABORTED"], socket.Views));
        Until.True(() => far6.Views is ["1 ECONNRESET"], "the reset of the IPv6 connection");
        Assert.Equal(["1 alive"], far4.Views);
    }

    /// <summary>With -t the address may come back before the connection is closed.</summary>
    [Fact]
    public void SrcGone_WithIdleTimeAndAddressReturns_ClosesNothing()
    {
        using var path = NetworkPath.Fast();
        path.InNear("ip addr add 10.9.0.101/24 dev slow0");
        (SocketRange near, SocketRange far) = path.Connect(options: "from=10.9.0.101");
        path.InNear("ip addr del 10.9.0.101/24 dev slow0");

        path.Tool("--src-gone", "-t", "1h").Run().Expect(0, "idle=0");
        path.InNear("ip addr add 10.9.0.101/24 dev slow0");
        near.Send();

        Until.True(() => far.Info("received") < 1_000, "the byte");
        path.Tool("--src-gone").Run().Expect(0, "idle=0");
        Assert.Equal(["1 alive"], near.Views);
    }

    /// <summary>Local prefixes: AnyIP routes, and 127/8.</summary>
    [Fact]
    public void SrcGone_LocalPrefixes_CountAsPresentUntilRemoved()
    {
        using var path = NetworkPath.Fast();
        path.InNear("ip route add local 10.77.0.0/16 dev lo; ip -6 route add local fd77::/48 dev lo");
        path.InFar("ip route add 10.77.0.0/16 via 10.9.0.1; ip -6 route add fd77::/48 via fd09::1");
        (SocketRange any4, _) = path.Connect(options: "from=10.77.1.2");
        _ = path.Near.Ask("listen :: 7002");
        _ = path.Far.Connect("fd77::1:2 7002 1");
        SocketRange any6 = path.Near.Accept(7002, 1);
        _ = path.Near.Ask("listen 127.0.0.1 7001");
        SocketRange loopback = path.Near.Connect("127.0.0.1 7001 1 from=127.1.2.3");

        path.Tool("--src-gone").Run().Expect(0, "idle=0");
        path.InNear("ip route del local 10.77.0.0/16 dev lo; ip -6 route del local fd77::/48 dev lo");
        path.Tool("--src-gone").Run().Expect(0, "closed=2");

        Assert.All([any4, any6], static socket => Assert.Equal(["1 ECONNABORTED"], socket.Views));
        Assert.Equal(["1 alive"], loopback.Views);
    }

    /// <summary>A transparent proxy's default route makes every address local: none is gone, which is reported once per run.</summary>
    [Fact]
    public void SrcGone_LocalDefaultRoute_ClosesNothingAndWarns()
    {
        using var path = NetworkPath.Fast();
        path.InNear("ip addr add 10.9.0.101/24 dev slow0; ip route add local default dev lo table 100; ip -6 route add local default dev lo table 100");
        (SocketRange near, _) = path.Connect(options: "from=10.9.0.101");
        path.Connect(to: NetworkPath.Far6(2));
        path.InNear("ip addr del 10.9.0.101/24 dev slow0");

        Result result = path.Tool("--src-gone").Run().Expect(0, "matched=2 idle=0");

        Assert.Single(result.Log, static line => line.Contains(Warning));
        Assert.Equal(["1 alive"], near.Views);
    }

    /// <summary>Each network namespace has its own addresses.</summary>
    [Fact]
    public void SrcGone_OtherNamespace_UsesItsAddresses()
    {
        using var path = NetworkPath.Fast();
        path.InNear($"ip addr add {NetworkPath.Far4(3)}/32 dev lo");
        (_, SocketRange far) = path.Connect(to: "::ffff:" + NetworkPath.Far4(2));
        SocketRange near = path.Near.Connect($"{NetworkPath.Far4(4)} {NetworkPath.Port} 1");
        SocketRange gone = path.Far.Accept(NetworkPath.Port, 1);
        path.Vanish(4);

        path.Tool("--src-gone", "--netns", $"pid:{path.Far.Id}").Run().Expect(0, "matched=2 closed=1");

        Assert.Equal(["1 ECONNABORTED"], gone.Views);
        Assert.Equal(["1 alive"], far.Views);
        Assert.Equal(["1 alive"], near.Views);
    }

    /// <summary>A VRF has its own routing table.</summary>
    [Fact]
    public void SrcGone_Vrf_UsesTheVrfsTable()
    {
        using var path = NetworkPath.Fast();
        Assert.SkipUnless(
            Command.Run([.. path.Tool().Inside, "ip", "link", "add", "vrf0", "type", "vrf", "table", "10"]).ExitCode == 0, "this kernel has no VRF");
        path.InNear("""
            ip link set vrf0 up
            ip link set slow0 master vrf0
            ip addr add 10.9.0.101/24 dev slow0
            """);
        (SocketRange stays, _) = path.Connect(options: "device=vrf0 from=10.9.0.1");
        (SocketRange gone, _) = path.Connect(options: "device=vrf0 from=10.9.0.101");
        path.InNear("ip addr del 10.9.0.101/24 dev slow0");

        path.Tool("--src-gone").Run().Expect(0, "closed=1");

        Assert.Equal(["1 ECONNABORTED"], gone.Views);
        Assert.Equal(["1 alive"], stays.Views);
    }

    /// <summary>A link-local address belongs to one device only.</summary>
    [Fact]
    public void SrcGone_LinkLocalAddressOnAnotherDevice_IsGone()
    {
        using var path = NetworkPath.Fast();
        path.InNear($"ip link add slow1 type veth peer name slow1 netns {path.Far.Id}; ip link set slow1 up");
        path.InFar("ip addr add fe80::2/64 dev slow0 nodad");
        path.InNear("for i in 1 7; do ip addr add fe80::7$i/64 dev slow0 nodad; done; ip addr add fe80::77/64 dev slow1 nodad");
        string device = Command.Run([.. path.Tool().Inside, "sh", "-c", "ip -o link show slow0 | cut -d: -f1"]).Stdout.Trim();
        (SocketRange stays, _) = path.Connect(to: $"fe80::2%{device}", options: $"from=fe80::71%{device}");
        (SocketRange gone, _) = path.Connect(to: $"fe80::2%{device}", options: $"from=fe80::77%{device}");
        path.InNear("ip addr del fe80::77/64 dev slow0");

        path.Tool("--src-gone").Run().Expect(0, "closed=1");

        Assert.Equal(["1 ECONNABORTED"], gone.Views);
        Assert.Equal(["1 alive"], stays.Views);
    }
}
