namespace TcpCloser.Fuzz;

/// <summary>Answers to SOCK_DESTROY: only refusals are answered, so silence means success.</summary>
internal sealed class DestroyAnswers : ITarget
{
    private const int MaxConnections = 300; // more than a batch

    private static readonly int[] s_refusals = [Errno.ENOENT, Errno.ENOENT, Errno.EPERM, Errno.EOPNOTSUPP, Errno.EINVAL, Errno.EBUSY, Errno.ENOMEM];

    public string Name => "destroy answers";

    public bool Try(Dice dice)
    {
        var server = new Server(dice);
        ConnectionList list = Connections.Many(dice.OneIn(16) ? MaxConnections : 1 + dice.Below(12), server.Kernel);
        var sink = new RecordingSink(list);
        bool leavesUnsupported = dice.OneIn(2);
        new SockDestroyer(leavesUnsupported).Run(list, Contexts.Of(sink));

        Check.That(server.Kernel.LeftOpen == 0, "a socket was not closed");
        if (!leavesUnsupported)
        {
            sink.AssertAllReported();
        }

        bool isDestroyed = false;
        for (int i = 0; i < list.Count; i++)
        {
            ulong cookie = list[i].Cookie;
            Outcome outcome = list[i].Outcome;
            string what = $"connection {i} was reported as {outcome} ({list[i].Errno})";
            Check.That(outcome is Outcome.Pending or Outcome.Destroyed or Outcome.Vanished or Outcome.Failed or Outcome.Unknown or Outcome.StillThere, what);
            Check.That(outcome != Outcome.Pending || leavesUnsupported, what + ", and no other method follows");

            // The program has to believe what is well-formed, even if damaged, and has to look again after anything malformed.
            bool isRefused = server.IsDoubtful(cookie) ? server.IsThere(cookie)
                : server.Answers.IsWhole ? server.Refused.ContainsKey(cookie)
                : server.IsRefusalReadable(cookie);
            Check.That(outcome != Outcome.Destroyed || !isRefused, what + ", but it was refused");
            Check.That(outcome != Outcome.Failed || list[i].Errno != 0, what + " without a reason");
            Check.That(!server.Answers.IsWhole || outcome != Outcome.Vanished || server.Refused.GetValueOrDefault(cookie) == Errno.ENOENT, what + ", but it still exists");
            isDestroyed |= outcome == Outcome.Destroyed;
        }

        return isDestroyed;
    }

    /// <summary>A kernel that destroys some sockets and refuses others, and reports the truth about each afterwards.</summary>
    private sealed class Server
    {
        private readonly Dice _dice;
        private readonly int _usualRefusal;
        private readonly Dictionary<ulong, uint> _lastSequence = [];
        private readonly Dictionary<uint, int> _readable = [];
        private readonly HashSet<ulong> _doubtful = [];
        private bool _areIntact = true;

        public Server(Dice dice)
        {
            _dice = dice;
            _usualRefusal = dice.Pick(s_refusals);
            Answers = new DamagedAnswers(dice);
            Kernel = new FakeKernel((sent, _) => Run(sent)) { SendErrno = _ => dice.OneIn(64) ? 1 + dice.Below(100) : 0 };
        }

        public FakeKernel Kernel { get; }
        public DamagedAnswers Answers { get; }
        public HashSet<ulong> Destroyed { get; } = [];
        /// <summary>The errno of each refusal, by cookie.</summary>
        public Dictionary<ulong, int> Refused { get; } = [];

        public bool IsThere(ulong cookie) => !Destroyed.Contains(cookie) && Refused.GetValueOrDefault(cookie) != Errno.ENOENT;

        /// <summary>Whether the last answer about it that arrived is a refusal.</summary>
        public bool IsRefusalReadable(ulong cookie) =>
            _lastSequence.TryGetValue(cookie, out uint sequence) && _readable.GetValueOrDefault(sequence) is < 0 and >= -Errno.Max;

        /// <summary>Whether an answer to the same or to an earlier send was lost or malformed.</summary>
        public bool IsDoubtful(ulong cookie) => _doubtful.Contains(cookie);

        private List<Answer> Run(byte[] sent)
        {
            if (!DestroyRequest.IsDestroy(sent))
            {
                return [LookUp(sent)];
            }

            var refusals = new List<byte[]>();
            List<DestroyRequest> requests = DestroyRequest.In(sent);
            foreach (DestroyRequest request in requests)
            {
                _lastSequence[request.Cookie] = request.Sequence;
                if (Destroyed.Contains(request.Cookie) || _dice.OneIn(3))
                {
                    int errno = Destroyed.Contains(request.Cookie) ? Errno.ENOENT : _usualRefusal;
                    Refused[request.Cookie] = errno;
                    refusals.Add(Netlink.ErrorMessage(errno, request.Sequence));
                }
                else
                {
                    Destroyed.Add(request.Cookie);
                }
            }

            List<Answer> answers = Answers.Of(refusals);
            foreach (Answer answer in answers.Where(static answer => answer.Sender == 0))
            {
                _areIntact &= answer.Errno == 0 && TryRead(answer.Datagram);
            }

            _doubtful.UnionWith(_areIntact ? [] : requests.Select(static request => request.Cookie));

            return answers;
        }

        private Answer LookUp(byte[] request)
        {
            ulong cookie = BitConverter.ToUInt64(request, 64);
            return IsThere(cookie)
                ? Answer.Of(new DumpedSocket { Cookie = cookie }.Message(Netlink.Socket))
                : Answer.Of(Netlink.ErrorMessage(Errno.ENOENT));
        }

        /// <summary>Reads the errors of a datagram by sequence number. Returns whether all messages are well-formed.</summary>
        private bool TryRead(byte[] datagram)
        {
            int at = 0;
            while (at + 16 <= datagram.Length)
            {
                uint length = BitConverter.ToUInt32(datagram, at);
                if (length < 16 || length > datagram.Length - at)
                {
                    return false;
                }

                if (BitConverter.ToUInt16(datagram, at + 4) == Netlink.Error && length >= 20)
                {
                    _readable[BitConverter.ToUInt32(datagram, at + 8)] = BitConverter.ToInt32(datagram, at + 16);
                }

                at += (int)(length + 3 & ~3u);
            }

            return at >= datagram.Length;
        }
    }
}
