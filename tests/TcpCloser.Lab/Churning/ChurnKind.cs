namespace TcpCloser.Lab.Churning;

/// <summary>How a connection lives.</summary>
internal enum ChurnKind
{
    /// <summary>One exchange of data, and its end.</summary>
    Short,

    /// <summary>Data at every visit, for a while.</summary>
    Talker,

    /// <summary>No data, until somebody closes it.</summary>
    Idle,

    /// <summary>Ended at the next visit.</summary>
    Fleeting,
}
