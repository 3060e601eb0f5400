using System.Net;

namespace TcpCloser.KernelTests.Harness.Reach;

/// <summary>One socket of the crowd, as the test knows it.</summary>
/// <param name="Local">Its own end in the Lab's words: <c>127.0.0.1:22</c>, <c>[::1]:22</c>; IPv4 also on IPv6 sockets.</param>
/// <param name="Remote">The other end.</param>
/// <param name="IsV6">Whether it is an IPv6 socket, whatever it carries.</param>
/// <param name="State">By ss's name.</param>
/// <param name="Uid">The user who made it.</param>
/// <param name="Owners">The processes that hold it; empty: nobody does.</param>
/// <param name="Device">The device it is bound to, or empty.</param>
/// <param name="Mark">Its mark.</param>
/// <param name="Cgroup">The name of its cgroup, or empty.</param>
internal sealed record CrowdSocket(
    string Local, string Remote, bool IsV6, string State, uint Uid, CrowdOwner[] Owners, string Device, uint Mark, string Cgroup)
{
    internal string Ends => $"{Local} {Remote}";

    internal IPEndPoint LocalEnd { get; } = IPEndPoint.Parse(Local);

    internal IPEndPoint RemoteEnd { get; } = IPEndPoint.Parse(Remote);

    internal bool IsIPv4 => LocalEnd.Address.AddressFamily == System.Net.Sockets.AddressFamily.InterNetwork;
}
