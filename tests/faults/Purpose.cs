namespace TcpCloser.Faults;

/// <summary>What a run is to do with the connections that match.</summary>
internal enum Purpose
{
    /// <summary>Close all of them.</summary>
    Close,

    /// <summary>Close none and show all.</summary>
    Show,

    /// <summary>Close none; there is nothing to show of each.</summary>
    Look,

    /// <summary>Close none, for they are more than is allowed.</summary>
    Refuse,
}
