namespace TcpCloser.Lab.Interop;

/// <summary>struct iovec (readv(2)), 16 bytes on 64-bit machines.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct IoVec
{
    internal void* Base;
    internal nuint Length;
}

/// <summary>struct msghdr (recvmsg(2)), 56 bytes on 64-bit machines.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct MsgHdr
{
    internal void* Name;
    internal uint NameLength;
    internal IoVec* Vectors;
    internal nuint VectorCount;
    internal void* Control;
    internal nuint ControlLength;
    internal int Flags;
}

/// <summary>struct pollfd (poll(2)), 8 bytes.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct PollFd
{
    internal int Fd;
    internal short Events;
    internal short Revents;
}

/// <summary>struct rusage (getrusage(2)), 144 bytes on 64-bit machines; the times are seconds and microseconds.</summary>
[StructLayout(LayoutKind.Sequential, Size = 144)]
internal struct ResourceUsage
{
    internal long UserSeconds;
    internal long UserMicroseconds;
    internal long SystemSeconds;
    internal long SystemMicroseconds;
    /// <summary>KiB.</summary>
    internal long MaxRss;
}

/// <summary>struct sockaddr_un (unix(7)), 110 bytes.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct SockAddressUnix
{
    private const int PathSize = 108;
    private ushort _family;
    private fixed byte _path[PathSize];

    internal static SockAddressUnix For(string path)
    {
        byte[] bytes = Encoding.UTF8.GetBytes(path);
        LabException.ThrowIf(bytes.Length >= PathSize, $"{path}: too long for a Unix socket");
        SockAddressUnix result = default;
        result._family = Posix.AF_UNIX;
        bytes.CopyTo(new Span<byte>(result._path, PathSize));
        return result;
    }
}
