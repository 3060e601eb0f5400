using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using TcpCloser.Interop;
using TcpCloser.Report;

namespace TcpCloser;

/// <summary>
/// Signals as something to read (signalfd(2)): those that would end the program ask to stop instead, so that what was done is
/// told; SIGHUP asks to open the log file again, where there is one, and SIGUSR1 asks a service for its totals. What was ignored at the start stays ignored.
/// </summary>
internal sealed unsafe class SignalWatch : IStopSource, IDisposable
{
    /// <summary>Those with a name that end a process and are no sign of a fault in it (signal(7)).</summary>
    private static readonly int[] s_ending =
    [
        Signal.SIGHUP, Signal.SIGINT, Signal.SIGQUIT, Signal.SIGUSR1, Signal.SIGUSR2, Signal.SIGALRM, Signal.SIGTERM, Signal.SIGSTKFLT,
        Signal.SIGXCPU, Signal.SIGVTALRM, Signal.SIGPROF, Signal.SIGIO, Signal.SIGPWR,
    ];

    private readonly Action? _hangUp;
    private readonly SystemdNotifier? _notifier;
    private readonly bool _isService;

    /// <param name="hangUp">What SIGHUP does; null: it asks to stop, as the others do.</param>
    /// <param name="notifier">Hears that the program goes on, whenever it asks whether to stop.</param>
    /// <param name="isService">Whether SIGUSR1 asks for the totals; otherwise it asks to stop.</param>
    /// <exception cref="SystemCallException">No descriptors left.</exception>
    public SignalWatch(Action? hangUp, SystemdNotifier? notifier, bool isService)
    {
        (_hangUp, _notifier, _isService) = (hangUp, notifier, isService);
        ulong signals = 0;
        foreach (int signal in s_ending)
        {
            signals |= Signal.IsIgnored(signal) ? 0 : Bit(signal);
        }

        for (int signal = Signal.FirstRealTime; signal <= Signal.Highest; signal++)
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
            throw new SystemCallException(Operation.WatchSignals, Marshal.GetLastPInvokeError());
        }
    }

    public int Descriptor { get; }

    public int StopSignal { get; private set; }

    public int LongestWaitMs => _notifier?.UntilPingMs ?? -1;

    /// <summary>Whether SIGHUP has arrived that nobody has acted on.</summary>
    private bool _hasHungUp;

    /// <summary>Whether SIGUSR1 has arrived that nobody has acted on.</summary>
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

    public void HangUp()
    {
        if (_hasHungUp)
        {
            _hasHungUp = false;
            _hangUp!();
        }
    }

    /// <summary>Whether the totals were asked for since this was last asked.</summary>
    public bool TakeWantsTotals()
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
    /// The runtime started its finalizer thread before Main, with nothing blocked: the kernel would hand it the signal, and
    /// the process would die of it. Only code on that thread can change its mask, and a finalizer is such code.
    /// </summary>
    private static void BlockInFinalizerThread(ulong signals)
    {
        Leave(signals);
        GC.Collect(0);
        GC.WaitForPendingFinalizers();
    }

    /// <summary>Not inlined, so that nothing holds the object when the GC looks.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void Leave(ulong signals) => _ = new MaskSetter(signals);

    private sealed class MaskSetter(ulong signals)
    {
        ~MaskSetter() => Block(signals);
    }
}
