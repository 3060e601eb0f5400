namespace TcpCloser.Lab;

/// <summary>
/// A packet socket (unix(7), SOCK_SEQPACKET) between the Lab and one of its processes. A packet is a text, with descriptors if
/// sockets are handed over (SCM_RIGHTS). An answer is any number of packets, then <c>.</c>; a packet that begins with <c>!</c> is an
/// error.
/// </summary>
internal sealed unsafe class ControlChannel(int fd)
{
    /// <summary>The maximum size of a packet in bytes; well below the default send buffer.</summary>
    internal const int PacketSize = 64 * 1024;
    private readonly byte[] _buffer = new byte[PacketSize];

    internal int Fd => fd;

    internal static (ControlChannel ParentEnd, int ChildEnd) Create()
    {
        int* pair = stackalloc int[2];
        Errno.Check(Libc.SocketPair(Posix.AF_UNIX, Posix.SOCK_SEQPACKET | Posix.SOCK_CLOEXEC, 0, pair), "socketpair");
        return (new ControlChannel(pair[0]), pair[1]);
    }

    /// <summary>Sends a packet; false if the other side is gone.</summary>
    internal bool Send(string text, ReadOnlySpan<int> descriptors = default) =>
        DescriptorSender.Send(fd, Encoding.UTF8.GetBytes(text), descriptors);

    /// <summary>Waits for a packet; null if the other side is gone. Descriptors that come with it are added to the list.</summary>
    internal string? Receive(List<int>? descriptors = null)
    {
        byte* control = stackalloc byte[DescriptorSender.ControlHeader + (DescriptorSender.MaxDescriptors * sizeof(int)) + 8];
        fixed (byte* data = _buffer)
        {
            IoVec vector = new() { Base = data, Length = PacketSize };
            MsgHdr message = new()
            {
                Vectors = &vector,
                VectorCount = 1,
                Control = control,
                ControlLength = DescriptorSender.ControlHeader + (DescriptorSender.MaxDescriptors * sizeof(int)) + 8,
            };
            nint received;
            do
            {
                received = Libc.ReceiveMessage(fd, &message, Posix.MSG_CMSG_CLOEXEC);
            }
            while (received < 0 && Errno.Last == Errno.EINTR);
            if (received <= 0)
            {
                return null;
            }

            if (message.ControlLength >= DescriptorSender.ControlHeader && descriptors is not null)
            {
                int count = ((int)*(nuint*)control - DescriptorSender.ControlHeader) / sizeof(int);
                descriptors.AddRange(new ReadOnlySpan<int>(control + DescriptorSender.ControlHeader, count));
            }
            return Encoding.UTF8.GetString(_buffer, 0, (int)received);
        }
    }

    /// <summary>Sends a request and returns the lines of its answer; null if the other side is gone.</summary>
    internal List<string>? Ask(string request, ReadOnlySpan<int> descriptors = default)
    {
        if (!Send(request, descriptors))
        {
            return null;
        }

        List<string> lines = [];
        while (Receive() is { } packet)
        {
            if (packet == ".")
            {
                return lines;
            }

            if (packet[0] == '!')
            {
                throw new LabException(packet[1..]);
            }

            lines.AddRange(packet.Split('\n', StringSplitOptions.RemoveEmptyEntries));
        }
        return null;
    }

    /// <summary>Sends an answer: the lines in as few packets as possible, then the end marker.</summary>
    internal bool Answer(IEnumerable<string> lines)
    {
        StringBuilder packet = new();
        foreach (string line in lines)
        {
            if (packet.Length + line.Length + 1 > PacketSize / 4 && packet.Length > 0) // a character is at most 4 bytes
            {
                if (!Send(packet.ToString()))
                {
                    return false;
                }

                packet.Clear();
            }
            packet.Append(line).Append('\n');
        }
        return (packet.Length == 0 || Send(packet.ToString())) && Send(".");
    }
}
