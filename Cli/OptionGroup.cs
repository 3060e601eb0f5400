namespace TcpCloser.Cli;

/// <summary>The groups of <c>--help</c>, in its order.</summary>
internal enum OptionGroup
{
    Selecting,
    Idle,
    Closing,
    Telling,
}
