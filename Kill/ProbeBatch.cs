using System.Diagnostics;
using TcpCloser.Diag;
using TcpCloser.Interop;
using TcpCloser.Proc;

namespace TcpCloser.Kill;

/// <summary>
/// Sockets that are held while a probe goes out of each, some 13 ms: a duplicate that one holds keeps the owner's close(2) from
/// sending its FIN. The options are put back through it, because fetching anew would lose a socket that only a forked sibling
/// still has.
/// </summary>
internal sealed class ProbeBatch : IDisposable
{
    /// <summary>
    /// The longest batch. Its probes leave in one softirq and its options are put back at one go, and whatever else runs on that
    /// processor waits for it, 7 µs for each socket. Shorter batches would be felt less and take longer: each waits 12 ms for the timer.
    /// </summary>
    public const int Length = 64;

    /// <summary>How long the kernel's tick and timer are given to send a probe.</summary>
    private static readonly TimeSpan s_patience = TimeSpan.FromMilliseconds(100);

    /// <summary>The timer fires at the second tick after it was set: before that there is nothing to see.</summary>
    private const int FirstLookMs = 12;

    private const int LookMs = 4;

    /// <summary>What a SIGKILL in between would leave behind is the most tolerant keepalive (MAX_TCP_KEEPCNT).</summary>
    private const int MostProbes = 127;

    private readonly IProcessTable _table;
    private readonly Held[] _held;

    /// <param name="table">Where the sockets come from.</param>
    /// <param name="capacity">How many descriptors may be held.</param>
    public ProbeBatch(IProcessTable table, int capacity)
    {
        _table = table;
        _held = new Held[capacity];
    }

    public int Count { get; private set; }

    public bool IsFull => Count == _held.Length;

    /// <summary>The peer that a place of the batch is about, as <see cref="TryAsk"/> was told.</summary>
    public int PeerAt(int i) => _held[i].Peer;

    /// <summary>Whether a probe left, or data did.</summary>
    public bool WasSent(int i) => _held[i].IsSent;

    /// <summary>Whether the connection had ended when it was last looked at.</summary>
    public bool HasEnded(int i) => _held[i].State == TcpState.Close;

    /// <summary>How long ago anything was received, in milliseconds, when it was last looked at.</summary>
    public uint LastHeardMs(int i) => _held[i].LastHeardMs;

    /// <summary>Sets the options by which a probe goes out at the next tick. Takes the handle over where it works. Returns 0 or the errno.</summary>
    public int TryAsk(int peer, int socket, KeepaliveOptions own, in SocketFacts facts)
    {
        KeepaliveOptions asking = own with
        {
            IsOn = true,
            Idle = 1,
            Count = MostProbes,
            UserTimeoutMs = own.IsOn ? own.UserTimeoutMs : 0,
        };
        int errno = asking.Apply(_table, socket, own);

        // Setting it starts the timer anew, also where it is the application's own value.
        errno = errno != 0 || own.Idle != asking.Idle ? errno : _table.SetOption(socket, Tcp.IPPROTO_TCP, Tcp.TCP_KEEPIDLE, asking.Idle);
        if (errno != 0)
        {
            asking.PutBack(_table, socket, own); // what was set before the one that failed
        }
        else
        {
            _held[Count++] = new Held
            {
                Peer = peer,
                Socket = socket,
                Own = own,
                Asking = asking,
                SegmentsOut = facts.SegmentsOut,
                Probes = facts.Probes,
                LastHeardMs = SocketFacts.Unknown,
            };
        }

        return errno;
    }

    /// <summary>Waits until a probe has left every socket of the batch, and puts the options back; the sockets stay held.</summary>
    public unsafe void AwaitSent()
    {
        try
        {
            long started = Stopwatch.GetTimestamp();
            _ = Count > 0 ? Poll.poll(null, 0, FirstLookMs) : 0;
            while (HasUnsent() && Stopwatch.GetElapsedTime(started) < s_patience)
            {
                _ = Poll.poll(null, 0, LookMs);
            }
        }
        finally
        {
            PutBack();
        }
    }

    /// <summary>Lets go of the sockets.</summary>
    public void Clear()
    {
        PutBack();
        for (int i = 0; i < Count; i++)
        {
            _table.Close(_held[i].Socket);
        }

        Count = 0;
    }

    public void Dispose() => Clear();

    private bool HasUnsent()
    {
        Span<byte> info = stackalloc byte[TcpInfo.Size];
        bool any = false;
        for (int i = 0; i < Count; i++)
        {
            ref Held held = ref _held[i];
            if (held.IsDone)
            {
                continue;
            }

            int length = _table.ReadTcpInfo(held.Socket, info);
            var facts = new SocketFacts(info[..Math.Max(length, 0)]);
            if (length > 0)
            {
                (held.State, held.LastHeardMs) = (facts.State, facts.LastHeardMs);
                held.IsSent = facts.SegmentsOut != held.SegmentsOut || facts.Probes != held.Probes;
            }

            // A socket that has ended, or cannot be looked at, has nothing more to tell.
            held.IsDone = length <= 0 || held.IsSent || facts.State == TcpState.Close;
            any |= !held.IsDone;
        }

        return any;
    }

    private void PutBack()
    {
        for (int i = 0; i < Count; i++)
        {
            ref Held held = ref _held[i];
            if (!held.IsPutBack)
            {
                held.IsPutBack = true;
                held.Asking.PutBack(_table, held.Socket, held.Own);
            }
        }
    }

    private struct Held
    {
        public int Peer;
        public int Socket;
        public KeepaliveOptions Own;
        public KeepaliveOptions Asking;
        public uint SegmentsOut;
        public byte Probes;
        public byte State;
        public uint LastHeardMs;
        public bool IsSent;
        public bool IsDone;
        public bool IsPutBack;
    }
}
