namespace TcpCloser.Fuzz;

/// <summary>Looks up single connections, several through one socket.</summary>
internal sealed class LookUps : ITarget
{
    private const int LookUpsOfASocket = 3;

    /// <summary>ENOENT as in an answer.</summary>
    private static readonly byte[] s_noSuchSocket = BitConverter.GetBytes(-Errno.ENOENT);
    private static readonly IdleRule s_idleRule = new(Words.Rule("-s", "22", "-t", "1s", "--no-ack-for", "2s"));
    /// <summary>The sockets to look up, as listed by a dump.</summary>
    private static readonly Connection[] s_sockets = ListSockets();

    public string Name => "look-ups";

    public bool Try(Dice dice)
    {
        int number = dice.Below(s_sockets.Length);
        byte[][] seed =
        [
            dice.Below(8) switch
            {
                0 => Netlink.ErrorMessage(1 + dice.Below(100)),
                1 => Netlink.ErrorMessage(Errno.ENOENT),
                2 => dice.Pick(Seeds.Sockets).Message(Netlink.Socket),
                _ => Seeds.Sockets[number].Message(Netlink.Socket),
            },
        ];
        var given = new DamagedAnswers(dice);
        var kernel = new FakeKernel((_, _) => given.Of(seed)) { SendErrno = _ => dice.OneIn(64) ? 1 + dice.Below(100) : 0 };
        using var lookup = new SocketLookup(new FakeNamespace(kernel));
        bool isAccepted = false;
        for (int i = 0; i < LookUpsOfASocket; i++)
        {
            try
            {
                bool isThere = lookup.TryFind(in s_sockets[number], out Connection now, out SocketFacts facts);
                isAccepted = true;
                if (!isThere)
                {
                    Check.That(given.Contain(s_noSuchSocket), "reported as gone, without an answer that confirms it");
                    continue;
                }

                Check.That(now.Cookie == s_sockets[number].Cookie, "another socket");
                GivenSocket.Check(in now, given);
                s_idleRule.Judge(ref now, in facts);
            }
            catch (SystemCallException e)
            {
                Check.IsErrno(e.Failure.Errno);
            }
        }

        return isAccepted;
    }

    private static Connection[] ListSockets()
    {
        var kernel = FakeKernel.Answering(Answer.Of([.. Seeds.Sockets.Select(static socket => socket.Message(Netlink.Socket)), Netlink.DoneMessage()]));
        ConnectionList list = Listing.Collector(kernel, keep: true, "-46", "-s", "1-65535", "--state", "all,listen").Candidates;
        return [.. Enumerable.Range(0, list.Count).Select(i => list[i])];
    }
}
