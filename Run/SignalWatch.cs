using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using TcpCloser.Interop;
using TcpCloser.Report;
using TcpCloser.Rules;

namespace TcpCloser.Run;

/// <summary>
/// Reads signals from a signalfd(2). Signals that would end the program request a stop instead, so that the results are still reported.
/// SIGHUP reopens the log file if there is one, and SIGUSR1 makes a service report its totals. Signals that were ignored at the start stay
/// ignored.
/// </summary>
internal sealed unsafe class SignalWatch : IStopSource, IDisposable
{
    /// <summary>The named signals that end a process and do not indicate a fault in it (signal(7)).</summary>
    private static readonly int[] s_ending =
    [
        Signal.SIGHUP, Signal.SIGINT, Signal.SIGQUIT, Signal.SIGUSR1, Signal.SIGUSR2, Signal.SIGALRM, Signal.SIGTERM, Signal.SIGSTKFLT,
        Signal.SIGXCPU, Signal.SIGVTALRM, Signal.SIGPROF, Signal.SIGIO, Signal.SIGPWR,
    ];

    private readonly Action? _hangUp;
    private readonly SystemdNotifier? _notifier;
    private readonly bool _isService;

    /// <param name="hangUp">The action on SIGHUP; null: SIGHUP requests a stop, as the others do.</param>
    /// <param name="notifier">Notified that the program is making progress, on every check for a stop request.</param>
    /// <param name="isService">Whether SIGUSR1 requests the totals; otherwise it requests a stop.</param>
    /// <exception cref="SystemCallException">The signalfd could not be created.</exception>
    public SignalWatch(Action? hangUp, SystemdNotifier? notifier, bool isService)
    {
        (_hangUp, _notifier, _isService) = (hangUp, notifier, isService);
        ulong signals = 0;
        foreach (int signal in s_ending)
        {
            signals |= Signal.IsIgnored(signal) ? 0 : Bit(signal);
        }

        for (int signal = Signal.FirstRealTime; signal <= Signal.Max; signal++)
        {
            signals |= Signal.IsIgnored(signal) ? 0 : Bit(signal);
        }

        Block(signals);
        BlockInFinalizerThread(signals);
        ulong* set = stackalloc ulong[Signal.SigsetWords];
        Fill(set, signals);
        Descriptor = Signal.signalfd(-1, set, Signal.SFD_CLOEXEC | Signal.SFD_NONBLOCK);
        if (Descriptor < 0)
        {
            throw new SystemCallException(new Failure(Operation.WatchSignals, Marshal.GetLastPInvokeError()));
        }
    }

    public int Descriptor { get; }

    public int StopSignal { get; private set; }

    public int MaxWaitMs => _notifier?.UntilPingMs ?? -1;

    /// <summary>Whether a SIGHUP has arrived and has not been handled yet.</summary>
    private bool _hasHungUp;

    /// <summary>Whether a SIGUSR1 has arrived and has not been handled yet.</summary>
    private bool _wantsTotals;

    public bool StopRequested()
    {
        _notifier?.Progress();
        byte* info = stackalloc byte[Signal.SignalFdSiginfoSize];
        while (Unistd.read(Descriptor, info, Signal.SignalFdSiginfoSize) == Signal.SignalFdSiginfoSize)
        {
            int signal = *(int*)info;
            bool isHangUp = signal == Signal.SIGHUP && _hangUp is not null;
            bool isForTotals = signal == Signal.SIGUSR1 && _isService;
            _hasHungUp |= isHangUp;
            _wantsTotals |= isForTotals;
            StopSignal = isHangUp || isForTotals ? StopSignal : signal;
        }

        return StopSignal != 0;
    }

    public void ReopenLogIfRequested()
    {
        if (_hasHungUp)
        {
            _hasHungUp = false;
            _hangUp!();
        }
    }

    /// <summary>Whether the totals were requested since the last call.</summary>
    public bool ConsumeTotalsRequest()
    {
        bool wanted = _wantsTotals;
        _wantsTotals = false;
        return wanted;
    }

    public void Dispose() => _ = Unistd.close(Descriptor);

    private static ulong Bit(int signal) => 1UL << (signal - 1);

    private static void Fill(ulong* set, ulong signals)
    {
        new Span<ulong>(set, Signal.SigsetWords).Clear();
        set[0] = signals;
    }

    private static void Block(ulong signals)
    {
        ulong* set = stackalloc ulong[Signal.SigsetWords];
        Fill(set, signals);
        _ = Signal.pthread_sigmask(Signal.SIG_BLOCK, set, null);
    }

    /// <summary>
    /// The runtime starts its finalizer thread before Main, with no signals blocked: the kernel would deliver a signal to that thread and
    /// end the process. Only code on that thread can change its mask, and a finalizer runs on it.
    /// </summary>
    private static void BlockInFinalizerThread(ulong signals)
    {
        AllocateMaskSetter(signals);
        GC.Collect(0);
        GC.WaitForPendingFinalizers();
    }

    /// <summary>Not inlined, so that no reference to the object is left when the GC runs.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void AllocateMaskSetter(ulong signals) => _ = new MaskSetter(signals);

    private sealed class MaskSetter(ulong signals)
    {
        ~MaskSetter() => Block(signals);
    }
}
