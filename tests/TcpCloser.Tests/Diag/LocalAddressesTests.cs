namespace TcpCloser.Tests.Diag;

/// <summary>Which addresses a network namespace has, according to the routes that the kernel lists.</summary>
public sealed class LocalAddressesTests
{
    private const byte Unicast = 1;
    private const byte Local = 2;
    private const byte Broadcast = 3;
    private const byte Anycast = 4;
    private const uint Cloned = 0x200;

    [Theory]
    [InlineData("10.0.0.1", true)]
    [InlineData("10.0.0.2", false)]
    [InlineData("10.0.0.255", false)] // a broadcast route
    [InlineData("10.9.0.0", false)] // a unicast route
    [InlineData("10.64.0.0", true)]
    [InlineData("10.127.255.255", true)]
    [InlineData("10.63.255.255", false)]
    [InlineData("10.128.0.0", false)]
    [InlineData("::ffff:10.0.0.1", true)]
    [InlineData("::ffff:10.0.0.2", false)]
    [InlineData("fd00::1", true)]
    [InlineData("fd00::2", false)]
    [InlineData("fd00::", true)] // anycast
    [InlineData("fd00::77", false)] // a clone of another route
    [Rows("fd01:0:0:1:: | true", "fd01:0:0:1ff::1 | true", "fd01:0:0:200:: | false")]
    public void Address_RoutesOfEachKind_IsPresentOnlyByALocalRoute(string address, bool isThere)
    {
        LocalAddresses addresses = LocalAddresses.Read(Namespace(
            [
                Answer.Of(Netlink.Route(Local, "10.0.0.1", 32), Netlink.Route(Broadcast, "10.0.0.255", 32)),
                Answer.Of(Netlink.Route(Unicast, "10.9.0.0", 24), Netlink.Route(Local, "10.64.0.0", 10), Netlink.DoneMessage()),
            ],
            [
                Answer.Of(
                    Netlink.Route(Local, "fd00::1", 128),
                    Netlink.Route(Anycast, "fd00::", 128),
                    Netlink.Route(Local, "fd00::77", 128, flags: Cloned),
                    Netlink.Route(Local, "fd01::", 55),
                    Netlink.DoneMessage()),
            ]));
        Connection connection = From(address);
        Assert.Equal(isThere, addresses.HasSourceOf(in connection));
        Assert.False(addresses.TakesEverything(in connection));
    }

    /// <summary>A link-local address belongs to its device; a socket that is bound to no device may use any.</summary>
    [Theory]
    [Rows("3 | true", "4 | false", "0 | true")]
    public void Address_LinkLocal_IsPresentOnItsDevice(uint device, bool isThere)
    {
        LocalAddresses addresses = LocalAddresses.Read(Namespace(
            [Answer.Of(Netlink.DoneMessage())], [Answer.Of(Netlink.Route(Local, "fe80::1", 128, device: 3), Netlink.DoneMessage())]));
        Connection connection = From("fe80::1");
        connection.Interface = device;
        Assert.Equal(isThere, addresses.HasSourceOf(in connection));
    }

    /// <summary>A transparent proxy has a local default route, of one family.</summary>
    [Fact]
    public void Address_LocalDefaultRoute_IsPresentInThatFamily()
    {
        LocalAddresses addresses = LocalAddresses.Read(Namespace(
            [Answer.Of(Netlink.Route(Local, destination: null, 0), Netlink.DoneMessage())], [Answer.Of(Netlink.DoneMessage())]));
        Connection v4 = From("10.1.2.3");
        Connection v6 = From("fd00::1");
        Assert.True(addresses.TakesEverything(in v4) && addresses.HasSourceOf(in v4));
        Assert.False(addresses.TakesEverything(in v6) || addresses.HasSourceOf(in v6));
    }

    [Theory]
    [Values(Errno.EAFNOSUPPORT, Errno.EOPNOTSUPP)]
    public void Addresses_KernelWithoutIPv6_AreThoseOfIPv4(int errno)
    {
        LocalAddresses addresses = LocalAddresses.Read(Namespace(
            [Answer.Of(Netlink.Route(Local, "10.0.0.1", 32), Netlink.DoneMessage())], [Answer.Of(Netlink.ErrorMessage(errno))]));
        Connection connection = From("10.0.0.1");
        Assert.True(addresses.HasSourceOf(in connection));
    }

    /// <summary>A kernel without the requested family lists the routes of the families that it has.</summary>
    [Fact]
    public void Addresses_RoutesOfAnotherFamilyListed_AreIgnored()
    {
        byte[][] routes = [Netlink.Route(Local, "10.0.0.1", 32), Netlink.Route(Local, "fd00::1", 128), Netlink.Route(Local, "a00::", 7), Netlink.DoneMessage()];
        LocalAddresses addresses = LocalAddresses.Read(Namespace([Answer.Of(routes)], [Answer.Of(routes)]));
        foreach ((string address, bool isThere) in (IEnumerable<(string, bool)>)[("10.0.0.1", true), ("10.0.0.2", false), ("fd00::1", true), ("a00:1::", true), ("fd00::2", false)])
        {
            Connection connection = From(address);
            Assert.Equal(isThere, addresses.HasSourceOf(in connection));
        }
    }

    /// <summary>A table that cannot be read completely is an error, never a shorter table.</summary>
    [Theory]
    [Values(Errno.EPERM, Errno.ENOMEM, Errno.EAFNOSUPPORT)]
    public void Addresses_RoutesCannotBeListed_Throws(int errno) => AssertFails(errno, [Answer.Of(Netlink.ErrorMessage(errno))]);

    [Fact]
    public void Addresses_MalformedAnswer_Throws()
    {
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
        Answer[] none = [Answer.Of(Netlink.DoneMessage())];
        var kernel = new FakeKernel((sent, number) => sent[16] == Socket.AF_INET6 ? none : number < 3 ? changing : quiet);
        LocalAddresses addresses = LocalAddresses.Read(new FakeNamespace(kernel));
        Connection connection = From("10.0.0.2");
        Assert.True(addresses.HasSourceOf(in connection));
        Assert.Equal(0, kernel.LeftOpen);

        AssertFails(Errno.EBUSY, changing);
    }

    private static void AssertFails(int errno, Answer[] ipv4)
    {
        FakeNamespace network = Namespace(ipv4, [Answer.Of(Netlink.DoneMessage())]);
        var e = Assert.Throws<SystemCallException>(() => LocalAddresses.Read(network));
        Assert.Equal((Operation.ListRoutes, errno), (e.Failure.Operation, e.Failure.Errno));
    }

    private static FakeNamespace Namespace(Answer[] ipv4, Answer[] ipv6) =>
        new(new FakeKernel((sent, _) => sent[16] == Socket.AF_INET6 ? ipv6 : ipv4));

    private static Connection From(string source)
    {
        string peer = source.StartsWith("::ffff", StringComparison.Ordinal) ? "::ffff:9.9.9.9"
            : source.Contains(':', StringComparison.Ordinal) ? "fd99::9"
            : "9.9.9.9";
        return Connections.Of($"{source}:22 {peer}:5");
    }
}
