namespace TcpCloser.Kill;

/// <summary>Whether a connection is there when it is looked at again.</summary>
internal enum Presence
{
    There,

    Gone,

    /// <summary>The kernel did not say.</summary>
    Unknown,
}
