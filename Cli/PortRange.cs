namespace TcpCloser.Cli;

/// <summary>Ports from <see cref="First"/> to <see cref="Last"/>, both included, host order.</summary>
internal readonly struct PortRange(ushort first, ushort last)
{
    public ushort First { get; } = first;

    public ushort Last { get; } = last;
}
