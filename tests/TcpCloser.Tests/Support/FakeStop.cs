namespace TcpCloser.Tests.Support;

/// <summary>Requests a stop once the test wants it: permanently, like a signal.</summary>
/// <param name="when">Is called at each check; null: never stop.</param>
internal sealed class FakeStop(Func<bool>? when = null) : IStopSource
{
    public int Descriptor => -1;
    public int StopSignal { get; private set; }
    public int MaxWaitMs { get; init; } = -1;
    public int Asked { get; private set; } // the number of checks

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
