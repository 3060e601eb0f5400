using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using TcpCloser.Interop;

namespace TcpCloser.Diag;

/// <summary>
/// Sends requests over a socket of its own and takes the answers, which are checked here and nowhere else: only the kernel's own
/// are taken, only those to the last requests, and only whole ones.
/// </summary>
/// <param name="socket">The socket, which is closed with this.</param>
/// <param name="buffer">Where datagrams are received; grows where one does not fit.</param>
internal sealed class NetlinkExchange(INetlinkSocket socket, byte[] buffer) : IDisposable
{
    private static readonly int s_headerSize = Unsafe.SizeOf<NlMsgHdr>();

    private uint _firstSequence;
    private uint _nextSequence = 1;
    private int _rest;
    private int _end;
    private int _payload;
    private int _payloadLength;

    /// <summary>Where datagrams are received, to be used again.</summary>
    public byte[] Buffer { get; private set; } = buffer;

    /// <summary>The header of the message that <see cref="Next"/> came to.</summary>
    public NlMsgHdr Header { get; private set; }

    /// <summary>What follows the header; good until the next call.</summary>
    public ReadOnlySpan<byte> Payload => Buffer.AsSpan(_payload, _payloadLength);

    /// <summary>Which of the requests the message answers, counted from 0.</summary>
    public int RequestIndex => (int)(Header.Sequence - _firstSequence);

    /// <summary>Begins with that many new requests; answers to older ones are passed over from here on. Returns the first sequence number.</summary>
    public uint Begin(int requests)
    {
        _firstSequence = _nextSequence;
        _nextSequence += (uint)requests;
        _rest = _end = 0;
        return _firstSequence;
    }

    /// <summary>Sends messages to the kernel, which runs them before this returns. Returns 0 or the errno.</summary>
    public int Send(ReadOnlySpan<byte> messages) => socket.Send(messages);

    /// <summary>Goes to the next message that answers one of the requests.</summary>
    /// <param name="wait">Whether to wait for it, which the kernel answers at once or never; otherwise none is EAGAIN.</param>
    /// <returns>
    /// 0; or the errno: EMSGSIZE where a datagram did not fit, and now would; EBADMSG where it is no sequence of whole messages;
    /// ETIMEDOUT where the kernel does not answer; ENOBUFS where answers were lost.
    /// </returns>
    public int Next(bool wait)
    {
        while (true)
        {
            while (_rest < _end)
            {
                if (!TryTake())
                {
                    return Errno.EBADMSG;
                }

                if (Header.Sequence - _firstSequence < _nextSequence - _firstSequence)
                {
                    return 0;
                }
            }

            int length = socket.Receive(Buffer, wait, out uint sender);
            if (length < 0)
            {
                return wait && length == -Errno.EAGAIN ? Errno.ETIMEDOUT : -length;
            }

            if (sender != 0)
            {
                continue;
            }

            if (length > Buffer.Length)
            {
                Buffer = new byte[length];
                return Errno.EMSGSIZE;
            }

            (_rest, _end) = (0, length);
        }
    }

    /// <summary>The errno in an NLMSG_ERROR or NLMSG_DONE; 0: none, an acknowledgement; EBADMSG where it holds no errno.</summary>
    public int Error()
    {
        ReadOnlySpan<byte> payload = Payload;
        if (payload.Length < sizeof(int))
        {
            return Header.Type == Netlink.NLMSG_DONE ? 0 : Errno.EBADMSG;
        }

        int error = MemoryMarshal.Read<int>(payload);
        return error is <= 0 and >= -Errno.Highest ? -error : Errno.EBADMSG;
    }

    public void Dispose() => socket.Dispose();

    /// <summary>Takes one message off the datagram; false where what is left is none.</summary>
    private bool TryTake()
    {
        ReadOnlySpan<byte> rest = Buffer.AsSpan(_rest, _end - _rest);
        if (rest.Length < s_headerSize)
        {
            return false;
        }

        Header = MemoryMarshal.Read<NlMsgHdr>(rest);
        if (Header.Length < s_headerSize || Header.Length > rest.Length)
        {
            return false;
        }

        _payload = _rest + s_headerSize;
        _payloadLength = (int)Header.Length - s_headerSize;
        _rest = Math.Min(_rest + Netlink.Align((int)Header.Length), _end);
        return true;
    }
}
