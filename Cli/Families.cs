namespace TcpCloser.Cli;

/// <summary>What <c>-4</c> and <c>-6</c> ask for.</summary>
[Flags]
internal enum Families
{
    /// <summary>Every IPv4 connection, those on dual-stack IPv6 sockets included.</summary>
    IPv4 = 1,

    /// <summary>Every connection of an IPv6 socket, those to IPv4 peers included.</summary>
    IPv6 = 2,
}
