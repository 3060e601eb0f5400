using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace TcpCloser.Interop;

/// <summary>Signals as something to read (signalfd(2)): SIGINT and SIGTERM ask to stop, SIGHUP to open the log file again.</summary>
internal sealed unsafe class SignalWatch : IDisposable
{
    private static readonly ulong s_stop = Bit(Signal.SIGINT) | Bit(Signal.SIGTERM);

    private readonly Action _hangUp;

    /// <param name="hangUp">What SIGHUP does; null leaves it its default action.</param>
    /// <exception cref="SystemCallException">No descriptors left.</exception>
    public SignalWatch(Action? hangUp)
    {
        _hangUp = hangUp ?? (static () => { });
        ulong signals = s_stop | (hangUp is null ? 0 : Bit(Signal.SIGHUP));
        Block(signals);
        BlockInFinalizerThread(signals);
        ulong* set = stackalloc ulong[Signal.SigsetWords];
        Fill(set, signals);
        Descriptor = Signal.signalfd(-1, set, Signal.SFD_CLOEXEC | Signal.SFD_NONBLOCK);
        if (Descriptor < 0)
        {
            throw new SystemCallException("opening a signalfd", Marshal.GetLastPInvokeError());
        }
    }

    /// <summary>To poll(2) on.</summary>
    public int Descriptor { get; }

    /// <summary>The signal that asked to stop; 0: none yet.</summary>
    public int StopSignal { get; private set; }

    /// <summary>Takes what has arrived, without waiting. Returns whether to stop.</summary>
    public bool StopRequested()
    {
        byte* info = stackalloc byte[Signal.SignalFdSiginfoSize];
        while (Unistd.read(Descriptor, info, Signal.SignalFdSiginfoSize) == Signal.SignalFdSiginfoSize)
        {
            int signal = *(int*)info;
            if (signal == Signal.SIGHUP)
            {
                _hangUp();
            }
            else
            {
                StopSignal = signal;
            }
        }

        return StopSignal != 0;
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
