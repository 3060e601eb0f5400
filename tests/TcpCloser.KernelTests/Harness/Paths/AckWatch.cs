using System.Buffers.Binary;
using System.Collections.Concurrent;
using System.Globalization;
using Microsoft.Win32.SafeHandles;
using TcpCloser.Diag;
using TcpCloser.Interop;
using TcpCloser.Proc;

namespace TcpCloser.KernelTests.Harness.Paths;

/// <summary>
/// Dumps all connections of the near side hundreds of times a second, and compares the time that the program regards as proven
/// with the time at which data was really sent.
/// </summary>
internal sealed class AckWatch : IDisposable
{
    /// <summary>The granularity of the kernel's ticks and clocks, and of the clock that the sender read.</summary>
    private const int GrainMs = 12;
    private readonly NetworkNamespace _near;
    private readonly Thread _thread;
    private readonly ConcurrentDictionary<int, long> _sentAt = new();
    private readonly ConcurrentDictionary<int, uint> _longest = new();
    private readonly ConcurrentQueue<string> _excesses = new();
    private readonly List<(int Port, uint Bound, string Facts)> _dumped = [];
    private volatile bool _isEnding;
    private long _samples;

    internal AckWatch(NetworkPath path)
    {
        Assert.SkipWhen(Namespaces.NeedUserNamespace, "a thread enters no namespace of another user namespace");
        using SafeFileHandle handle = File.OpenHandle($"/proc/{path.Near.Id}/ns/net");
        handle.SetHandleAsInvalid(); // the namespace closes it
        _near = new NetworkNamespace(new NamespaceFile("near"u8.ToArray(), (int)handle.DangerousGetHandle(), IsOwn: false, Pid: 0), new NetworkNamespace());
        _thread = new Thread(Watch) { IsBackground = true };
        _thread.Start();
    }

    internal long Samples => Interlocked.Read(ref _samples);

    /// <summary>Every sample in which the proven time exceeded the true one.</summary>
    internal IReadOnlyCollection<string> Excesses => _excesses;

    /// <summary>
    /// Records that the outstanding data of these sockets was sent at that time at the earliest, by the monotonic clock in
    /// milliseconds.
    /// </summary>
    internal void Sent(SocketRange sockets, long at)
    {
        for (int i = 0; i < sockets.Count; i++)
        {
            _sentAt[(int)sockets[i].Port] = at;
        }
    }

    /// <summary>The longest time that was ever proven for a connection, in milliseconds.</summary>
    internal uint Longest(SocketRange socket) => _longest.GetValueOrDefault((int)socket.Port);

    private void Add(ref readonly InetDiagMsg message, in SocketAttributes attributes)
    {
        var facts = new SocketFacts(in message, attributes.Info);
        uint bound = Math.Min(facts.LastHeardMs, AckProof.OutstandingMs(in facts));
        _dumped.Add((BinaryPrimitives.ReverseEndianness(message.Id.SourcePort), bound,
            bound == 0 ? "" : string.Create(CultureInfo.InvariantCulture,
                $"timer={facts.Timer} expires={facts.ExpiresMs} rto={facts.RtoMs} retransmits={facts.Retransmits} backoff={facts.Backoff} probes={facts.Probes} sent={facts.LastDataSentMs} heard={facts.LastHeardMs}")));
    }

    public void Dispose()
    {
        _isEnding = true;
        _thread.Join();
        _near.Dispose();
    }

    private void Watch()
    {
        var dump = new SocketDump();
        var query = new DumpQuery(Selection.EveryConnection, RuleContext.Empty, marksAndCgroups: false);
        while (!_isEnding)
        {
            if (dump.Run(_near, query.Request, Add, _dumped.Clear) == 0)
            {
                long now = Stopwatch.GetTimestamp() * 1000 / Stopwatch.Frequency;
                _dumped.ForEach(entry => Judge(entry.Port, entry.Bound, entry.Facts, now));
                Interlocked.Add(ref _samples, _dumped.Count);
            }

            Thread.Sleep(2);
        }
    }

    private void Judge(int port, uint bound, string facts, long now)
    {
        _longest[port] = Math.Max(_longest.GetValueOrDefault(port), bound);
        if (_sentAt.TryGetValue(port, out long at) && bound > now - at + GrainMs)
        {
            _excesses.Enqueue($"port {port}: {bound} ms proven, {now - at} ms true; {facts}");
        }
    }
}
