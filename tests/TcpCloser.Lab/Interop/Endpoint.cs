using System.Net.Sockets;

namespace TcpCloser.Lab.Interop;

/// <summary>An address and a port, printed as <c>127.0.0.1:22</c> or <c>[::1]:22</c>.</summary>
internal readonly record struct Endpoint(IPAddress Address, int Port)
{
    public override string ToString() => Address.AddressFamily == AddressFamily.InterNetworkV6 ? $"[{Address}]:{Port}" : $"{Address}:{Port}";

    internal static Endpoint Parse(string text)
    {
        var parsed = IPEndPoint.Parse(text);
        return new Endpoint(parsed.Address, parsed.Port);
    }
}
