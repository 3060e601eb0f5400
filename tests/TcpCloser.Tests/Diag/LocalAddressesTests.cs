namespace TcpCloser.Tests.Diag;

/// <summary>Which addresses a network namespace has, according to the routes that the kernel lists.</summary>
public sealed class LocalAddressesTests
{
    private const byte Unicast = 1;
    private const byte Local = 2;
    private const byte Broadcast = 3;
    private const byte Anycast = 4;
    private const uint Cloned = 0x200;

    private static readonly Answer[] s_none = [Answer.Of(Netlink.DoneMessage())];

    [Theory]
    [InlineData("10.0.0.255", false)] // a broadcast route
    [InlineData("10.9.0.0", false)] // a unicast route
    [InlineData("fd00::", true)] // anycast
    [InlineData("fd00::77", false)] // a clone of another route
    [Rows("10.0.0.1 | true", "10.0.0.2 | false", "10.64.0.0 | true", "10.127.255.255 | true", "10.63.255.255 | false", "10.128.0.0 | false",
        "::ffff:10.0.0.1 | true", "::ffff:10.0.0.2 | false", "fd00::1 | true", "fd00::2 | false", "fd01:0:0:1:: | true",
        "fd01:0:0:1ff::1 | true", "fd01:0:0:200:: | false")]
    public void Address_RoutesOfEachKind_IsPresentOnlyByALocalRoute(string address, bool isThere)
    {
        LocalAddresses addresses = LocalAddresses.Read(Namespace(
            [
                Answer.Of(Netlink.Route(Local, "10.0.0.1", 32), Netlink.Route(Broadcast, "10.0.0.255", 32)),
                Answer.Of(Netlink.Route(Unicast, "10.9.0.0", 24), Netlink.Route(Local, "10.64.0.0", 10), Netlink.DoneMessage()),
            ],
            [
                Answer.Of(
                    Netlink.Route(Local, "fd00::1", 128), Netlink.Route(Anycast, "fd00::", 128),
                    Netlink.Route(Local, "fd00::77", 128, flags: Cloned), Netlink.Route(Local, "fd01::", 55), Netlink.DoneMessage()),
            ]));
        AssertHas(isThere, addresses, address);
        Connection connection = From(address);
        Assert.False(addresses.TakesEverything(in connection));
    }

    /// <summary>A link-local address belongs to its device; a socket that is bound to no device may use any.</summary>
    [Theory]
    [Rows("3 | true", "4 | false", "0 | true")]
    public void Address_LinkLocal_IsPresentOnItsDevice(uint device, bool isThere)
    {
        Answer[] routes = [Answer.Of(Netlink.Route(Local, "fe80::1", 128, device: 3), Netlink.DoneMessage())];
        AssertHas(isThere, LocalAddresses.Read(Namespace(s_none, routes)), "fe80::1", device);
    }

    /// <summary>A transparent proxy has a local default route, of one family.</summary>
    [Fact]
    public void Address_LocalDefaultRoute_IsPresentInThatFamily()
    {
        LocalAddresses addresses = LocalAddresses.Read(Namespace(
            [Answer.Of(Netlink.Route(Local, destination: null, 0), Netlink.DoneMessage())], s_none));
        Connection v4 = From("10.1.2.3");
        Connection v6 = From("fd00::1");
        Assert.True(addresses.TakesEverything(in v4) && addresses.HasSourceOf(in v4));
        Assert.False(addresses.TakesEverything(in v6) || addresses.HasSourceOf(in v6));
    }

    [Theory]
    [Values(Errno.EAFNOSUPPORT, Errno.EOPNOTSUPP)]
    public void Addresses_KernelWithoutIPv6_AreThoseOfIPv4(int errno) => AssertHas(true, LocalAddresses.Read(Namespace(
        [Answer.Of(Netlink.Route(Local, "10.0.0.1", 32), Netlink.DoneMessage())], [Answer.Of(Netlink.ErrorMessage(errno))])), "10.0.0.1");

    /// <summary>A kernel without the requested family lists the routes of the families that it has.</summary>
    [Fact]
    public void Addresses_RoutesOfAnotherFamilyListed_AreIgnored()
    {
        byte[][] routes = [Netlink.Route(Local, "10.0.0.1", 32), Netlink.Route(Local, "fd00::1", 128), Netlink.Route(Local, "a00::", 7), Netlink.DoneMessage()];
        LocalAddresses addresses = LocalAddresses.Read(Namespace([Answer.Of(routes)], [Answer.Of(routes)]));
        foreach ((string address, bool isThere) in (IEnumerable<(string, bool)>)[("10.0.0.1", true), ("10.0.0.2", false), ("fd00::1", true), ("a00:1::", true), ("fd00::2", false)])
        {
            AssertHas(isThere, addresses, address);
        }
    }

    /// <summary>A table that cannot be read completely is an error, never a shorter table.</summary>
    [Fact]
    public void Addresses_RoutesCannotBeListed_Throws()
    {
        Assert.All([Errno.EPERM, Errno.ENOMEM, Errno.EAFNOSUPPORT], static (int errno) => AssertFails(errno, [Answer.Of(Netlink.ErrorMessage(errno))]));
        AssertFails(Errno.EBADMSG, [Answer.Of(Netlink.Message(24, [2, 32, 0, 0]))]);
        AssertFails(Errno.EBADMSG, [Answer.Of(Netlink.Route(Local, destination: null, 32), Netlink.DoneMessage())]);
        AssertFails(Errno.EBADMSG, [Answer.Of(Netlink.Route(Local, "10.0.0.1", 33), Netlink.DoneMessage())]);
        AssertFails(Errno.EBADMSG, [Answer.Of(Netlink.ErrorMessage(0))]);
        AssertFails(Errno.ETIMEDOUT, [Answer.Of(Netlink.Route(Local, "10.0.0.1", 32))]);
        AssertFails(Errno.ENOMEM, [Answer.Of(Netlink.DoneMessage(-Errno.ENOMEM))]);
    }

    /// <summary>If the table changes while it is listed, an address may be missing: it is listed again, a few times.</summary>
    [Fact]
    public void Addresses_TableChangesWhileListed_IsListedAgain()
    {
        const ushort MultiAndInterrupted = 2 | 0x10;
        Answer[] changing = [Answer.Of(Netlink.Route(Local, "10.0.0.1", 32, messageFlags: MultiAndInterrupted), Netlink.DoneMessage())];
        Answer[] quiet = [Answer.Of(Netlink.Route(Local, "10.0.0.1", 32), Netlink.Route(Local, "10.0.0.2", 32), Netlink.DoneMessage())];
        var kernel = new FakeKernel((sent, number) => sent[16] == Socket.AF_INET6 ? s_none : number < 3 ? changing : quiet);
        AssertHas(true, LocalAddresses.Read(new FakeNamespace(kernel)), "10.0.0.2");
        Assert.Equal(0, kernel.LeftOpen);
        AssertFails(Errno.EBUSY, changing);
    }

    private static void AssertFails(int errno, Answer[] ipv4)
    {
        var e = Assert.Throws<SystemCallException>(() => LocalAddresses.Read(Namespace(ipv4, s_none)));
        Assert.Equal((Operation.ListRoutes, errno), (e.Failure.Operation, e.Failure.Errno));
    }

    private static void AssertHas(bool isThere, LocalAddresses addresses, string source, uint device = 0)
    {
        Connection connection = From(source);
        connection.Interface = device;
        Assert.Equal(isThere, addresses.HasSourceOf(in connection));
    }

    private static FakeNamespace Namespace(Answer[] ipv4, Answer[] ipv6) =>
        new(new FakeKernel((sent, _) => sent[16] == Socket.AF_INET6 ? ipv6 : ipv4));

    private static Connection From(string source) => Connections.Of($"{source}:22 {source}:5");
}
