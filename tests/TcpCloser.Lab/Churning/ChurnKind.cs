namespace TcpCloser.Lab.Churning;

/// <summary>What happens on a connection while it exists.</summary>
internal enum ChurnKind
{
    /// <summary>One exchange of data, then the end.</summary>
    Short,

    /// <summary>Data at every visit, for a while.</summary>
    Talker,

    /// <summary>No data, until another process closes it.</summary>
    Idle,

    /// <summary>Ended at the next visit.</summary>
    Fleeting,
}
