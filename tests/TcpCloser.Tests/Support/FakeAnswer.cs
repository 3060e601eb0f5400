namespace TcpCloser.Tests.Support;

/// <summary>What a peer does with a keepalive probe.</summary>
internal enum FakeAnswer
{
    /// <summary>It lives.</summary>
    Acknowledge,

    /// <summary>It is gone, or the path to it.</summary>
    Nothing,

    /// <summary>It does not know the connection.</summary>
    Reset,
}
