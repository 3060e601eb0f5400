using System.Buffers.Binary;
using System.Text;

namespace TcpCloser.Tests.Support;

/// <summary>A socket to a <see cref="FakeKernel"/>. It queues the answers, like the receive buffer of a real one.</summary>
internal sealed class FakeSocket(FakeKernel kernel) : INetlinkSocket
{
    private static readonly string[] s_devices = ["lo", "eth0"];
    private readonly Queue<Answer> _answers = [];

    public int Send(ReadOnlySpan<byte> messages)
    {
        byte[] request = messages.ToArray();
        int errno = kernel.Run(request, out List<Answer> answers);
        uint sequence = BinaryPrimitives.ReadUInt32LittleEndian(request.AsSpan(8));
        foreach (Answer answer in answers)
        {
            byte[] datagram = [.. answer.Datagram];
            FillSequence(datagram, sequence);
            _answers.Enqueue(answer with { Datagram = datagram });
        }

        return errno;
    }

    public int Receive(Span<byte> buffer, bool wait, out int length, out uint sender)
    {
        (length, sender) = (0, 0);
        int errno = kernel.Faults.Next(wait ? "receive" : "receive at once");
        if (errno != 0)
        {
            _ = errno == Errno.ENOBUFS && _answers.TryDequeue(out _); // the kernel had no room for the datagram
            return errno;
        }

        if (!_answers.TryDequeue(out Answer? answer))
        {
            return Errno.EAGAIN; // a real one first waits a second, if allowed to
        }

        (length, sender) = (answer.Datagram.Length, answer.Sender);
        answer.Datagram.AsSpan(0, Math.Min(buffer.Length, answer.Datagram.Length)).CopyTo(buffer);
        return answer.Errno;
    }

    public uint DeviceIndex(string name) => (uint)(Array.IndexOf(s_devices, name) + 1);
    public byte[] DeviceName(uint index) => index > 0 && index <= s_devices.Length ? Encoding.ASCII.GetBytes(s_devices[index - 1]) : [];
    public void Dispose() => kernel.Closed();

    /// <summary>The kernel repeats the request's sequence number in every message; a number that a test has set stays.</summary>
    private static void FillSequence(Span<byte> datagram, uint sequence)
    {
        while (datagram.Length >= 16)
        {
            uint length = BinaryPrimitives.ReadUInt32LittleEndian(datagram);
            if (BinaryPrimitives.ReadUInt32LittleEndian(datagram[8..]) == 0)
            {
                BinaryPrimitives.WriteUInt32LittleEndian(datagram[8..], sequence);
            }

            if (length < 16 || length > datagram.Length || (length + 3 & ~3u) > datagram.Length)
            {
                return;
            }

            datagram = datagram[(int)(length + 3 & ~3u)..];
        }
    }
}

/// <summary>The result of a fake socket's next receive: a datagram and the port id of its sender (0: the kernel), or an errno.</summary>
internal sealed record Answer(byte[] Datagram, int Errno = 0, uint Sender = 0)
{
    public static Answer Of(params byte[][] messages) => new(Netlink.Datagram(messages));
    public static Answer Failing(int errno) => new([], errno);
}
