namespace TcpCloser.Interop;

/// <summary>Where a request to stop comes from. Behind an interface, so that tests can ask to stop at any moment.</summary>
internal interface IStopSource
{
    /// <summary>To poll(2) on; negative: nothing to poll.</summary>
    int Descriptor { get; }

    /// <summary>The signal that asked to stop; 0: none yet.</summary>
    int StopSignal { get; }

    /// <summary>How long a wait may be at most before <see cref="StopRequested"/> is asked again, in milliseconds; -1: any time.</summary>
    int LongestWaitMs => -1;

    /// <summary>Takes what has arrived, without waiting. Returns whether to stop.</summary>
    bool StopRequested();

    /// <summary>Opens the log file again where that was asked for; between batches, when no line is half written.</summary>
    void HangUp()
    {
    }
}
