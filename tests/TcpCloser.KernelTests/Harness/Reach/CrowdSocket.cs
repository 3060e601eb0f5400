namespace TcpCloser.KernelTests.Harness.Reach;

/// <summary>One socket of the crowd, as the test knows it.</summary>
/// <param name="Local">Its own endpoint in the Lab's format: <c>127.0.0.1:22</c>, <c>[::1]:22</c>; for IPv4 on an IPv6 socket the IPv4 address.</param>
/// <param name="IsV6">Whether it is an IPv6 socket, which may carry IPv4.</param>
/// <param name="State">The state in ss's spelling.</param>
/// <param name="Uid">The user who created it.</param>
/// <param name="Owners">The processes that hold it; empty: none.</param>
/// <param name="Device">The device it is bound to, or empty.</param>
/// <param name="Cgroup">The name of its cgroup, or empty.</param>
internal sealed record CrowdSocket(
    string Local, string Remote, bool IsV6, string State, uint Uid, CrowdOwner[] Owners, string Device, uint Mark, string Cgroup)
{
    internal string Ends => $"{Local} {Remote}";
    internal IPEndPoint LocalEnd { get; } = IPEndPoint.Parse(Local);
    internal IPEndPoint RemoteEnd { get; } = IPEndPoint.Parse(Remote);
    internal bool IsIPv4 => LocalEnd.Address.AddressFamily == System.Net.Sockets.AddressFamily.InterNetwork;
}

internal sealed record CrowdOwner(int Pid, string Comm);
