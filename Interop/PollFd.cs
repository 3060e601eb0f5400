namespace TcpCloser.Interop;

/// <summary>struct pollfd (poll.h), 8 bytes.</summary>
internal struct PollFd
{
    public int Fd;
    public short Events;
    public short Revents;
}
