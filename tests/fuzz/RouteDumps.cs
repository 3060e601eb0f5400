namespace TcpCloser.Fuzz;

/// <summary>Dumps of routes, which list the addresses of a namespace. A missed address would close its connections (--src-gone).</summary>
internal sealed class RouteDumps : ITarget
{
    private static readonly byte[] s_whole4 = Seeds.Route(2, "192.0.2.1", 32);
    private static readonly byte[] s_whole6 = Seeds.Route(2, "2001:db8::1", 128);

    private static readonly string[] s_others =
    [
        "127.0.0.1:22 127.0.0.2:5", "10.0.0.1:22 10.0.0.2:5", "::ffff:10.64.0.1:22 ::ffff:10.0.0.2:5", "fd00::1:22 fd00::2:5", "fe80::1:22 fe80::2:5",
    ];

    public string Name => "route dumps";

    public bool Try(Dice dice)
    {
        var given = new DamagedAnswers(dice);

        // A kernel without the requested family lists those that it has.
        bool isMixed = dice.OneIn(16);
        var kernel = new FakeKernel((sent, _) => sent[16] == Socket.AF_INET6
            ? [Answer.Of(s_whole6), .. given.Of(isMixed ? Seeds.Routes4 : Seeds.Routes6)]
            : [Answer.Of(s_whole4), .. given.Of(isMixed ? Seeds.Routes6 : Seeds.Routes4)])
        {
            SendErrno = _ => dice.OneIn(64) ? 1 + dice.Below(100) : 0,
        };
        LocalAddresses addresses;
        try
        {
            addresses = LocalAddresses.Read(new FakeNamespace(kernel));
        }
        catch (SystemCallException e)
        {
            Check.IsErrno(e.Failure.Errno);
            return false;
        }
        finally
        {
            Check.That(kernel.LeftOpen == 0, "a socket was not closed");
        }

        // Damage elsewhere must not hide an address that the kernel has listed.
        Connection whole = Connections.Of("192.0.2.1:22 9.9.9.9:5");
        Check.That(addresses.HasSourceOf(in whole), "192.0.2.1 exists, but was not found");
        foreach (string ends in s_others)
        {
            Connection other = Connections.Of(ends);
            _ = addresses.HasSourceOf(in other);
            _ = addresses.TakesEverything(in other);
        }

        return true;
    }
}
