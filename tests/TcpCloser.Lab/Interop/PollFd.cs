using System.Runtime.InteropServices;

namespace TcpCloser.Lab.Interop;

/// <summary>struct pollfd (poll(2)), 8 bytes.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct PollFd
{
    internal int Fd;
    internal short Events;
    internal short Revents;
}
