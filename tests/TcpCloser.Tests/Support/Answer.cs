namespace TcpCloser.Tests.Support;

/// <summary>What a fake socket's next receive gives.</summary>
/// <param name="Datagram">Its bytes.</param>
/// <param name="Errno">Instead of a datagram.</param>
/// <param name="Sender">The port id of who sent it; the kernel is 0.</param>
internal sealed record Answer(byte[] Datagram, int Errno = 0, uint Sender = 0)
{
    public static Answer Of(params byte[][] messages) => new(Netlink.Datagram(messages));

    public static Answer Failing(int errno) => new([], errno);
}
