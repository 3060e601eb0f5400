namespace TcpCloser.Cli;

/// <summary>Ports from <paramref name="First"/> to <paramref name="Last"/>, both included, host order.</summary>
internal readonly record struct PortRange(ushort First, ushort Last);
