using TcpCloser.Interop;

namespace TcpCloser.Tests.Support;

/// <summary>Asks to stop from when on a test wants it; as a signal does, for good.</summary>
/// <param name="when">Is asked each time; null: never.</param>
internal sealed class FakeStop(Func<bool>? when = null) : IStopSource
{
    public int Descriptor => -1;

    public int StopSignal { get; private set; }

    /// <summary>How often it was asked.</summary>
    public int Asked { get; private set; }

    public bool StopRequested()
    {
        Asked++;
        if (StopSignal == 0 && when is not null && when())
        {
            StopSignal = Signal.SIGTERM;
        }

        return StopSignal != 0;
    }
}
