namespace TcpCloser.Lab;

/// <summary>Sends bytes over a Unix socket, with descriptors (unix(7), SCM_RIGHTS).</summary>
internal static unsafe class DescriptorSender
{
    /// <summary>The kernel's SCM_MAX_FD is 253.</summary>
    internal const int MaxDescriptors = 250;
    /// <summary>struct cmsghdr: length 8, level 4, type 4.</summary>
    internal const int ControlHeader = 16;

    /// <summary>Sends bytes and descriptors in one call; false if the other side is gone.</summary>
    internal static bool Send(int fd, ReadOnlySpan<byte> bytes, ReadOnlySpan<int> descriptors)
    {
        byte* control = stackalloc byte[ControlHeader + (MaxDescriptors * sizeof(int)) + 8];
        fixed (byte* data = bytes)
        {
            IoVec vector = new() { Base = data, Length = (nuint)bytes.Length };
            MsgHdr message = new() { Vectors = &vector, VectorCount = 1 };
            if (!descriptors.IsEmpty)
            {
                int length = ControlHeader + (descriptors.Length * sizeof(int));
                *(nuint*)control = (nuint)length;
                *(int*)(control + 8) = Posix.SOL_SOCKET;
                *(int*)(control + 12) = Posix.SCM_RIGHTS;
                descriptors.CopyTo(new Span<int>(control + ControlHeader, descriptors.Length));
                message.Control = control;
                message.ControlLength = (nuint)((length + 7) & ~7);
            }
            nint sent;
            do
            {
                sent = Libc.SendMessage(fd, &message, Posix.MSG_NOSIGNAL);
            }
            while (sent < 0 && Errno.Last == Errno.EINTR);
            if (sent >= 0)
            {
                return sent == bytes.Length ? true : throw new LabException("sendmsg: sent in part");
            }

            return Errno.Last is Errno.EPIPE or Errno.ECONNRESET or Errno.ENOTCONN
                ? false
                : throw new LabException($"sendmsg: {Errno.Name(Errno.Last)}");
        }
    }
}
