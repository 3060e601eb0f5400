namespace TcpCloser.Rules;

/// <summary>The source of requests to stop. An interface, so that tests can request a stop at any moment.</summary>
internal interface IStopSource
{
    /// <summary>The descriptor to poll(2); negative: there is none.</summary>
    int Descriptor { get; }

    /// <summary>The signal that requested the stop; 0: none yet.</summary>
    int StopSignal { get; }

    /// <summary>The longest wait before the next call of <see cref="StopRequested"/>, in milliseconds; -1: no limit.</summary>
    int MaxWaitMs => -1;

    /// <summary>Reads pending signals without waiting. Returns whether to stop.</summary>
    bool StopRequested();

    /// <summary>Reopens the log file if SIGHUP requested it. Called between batches, when no line is half written.</summary>
    void ReopenLogIfRequested()
    {
    }
}

/// <summary>Nothing asks to stop.</summary>
internal sealed class NoStop : IStopSource
{
    public int Descriptor => -1;

    public int StopSignal => 0;

    public bool StopRequested() => false;
}
