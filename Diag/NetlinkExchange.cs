using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using TcpCloser.Interop;

namespace TcpCloser.Diag;

/// <summary>
/// Sends requests over its own socket and receives the answers. It alone checks them: it accepts only messages from the kernel, only
/// answers to the last requests, and only complete messages.
/// </summary>
/// <param name="socket">The socket, which <see cref="Dispose"/> closes.</param>
/// <param name="buffer">Receives datagrams; grows if one does not fit.</param>
internal sealed class NetlinkExchange(INetlinkSocket socket, byte[] buffer) : IDisposable
{
    private static readonly int s_headerSize = Unsafe.SizeOf<NlMsgHdr>();

    private uint _firstSequence;
    private uint _nextSequence = 1;
    private int _rest;
    private int _end;
    private int _payload;
    private int _payloadLength;

    /// <summary>The receive buffer, to be reused.</summary>
    public byte[] Buffer { get; private set; } = buffer;

    /// <summary>The header of the message that <see cref="Next"/> moved to.</summary>
    public NlMsgHdr Header { get; private set; }

    /// <summary>What follows the header; valid until the next call.</summary>
    public ReadOnlySpan<byte> Payload => Buffer.AsSpan(_payload, _payloadLength);

    /// <summary>The index of the request that the message answers.</summary>
    public int RequestIndex => (int)(Header.Sequence - _firstSequence);

    /// <summary>
    /// Starts that many new requests and returns the first sequence number. Answers to older requests are skipped from here on.
    /// </summary>
    public uint Begin(int requests)
    {
        _firstSequence = _nextSequence;
        _nextSequence += (uint)requests;
        _rest = _end = 0;
        return _firstSequence;
    }

    /// <summary>Sends messages to the kernel, which processes them before this returns. Returns 0 or the errno.</summary>
    public int Send(ReadOnlySpan<byte> messages) => socket.Send(messages);

    /// <summary>Moves to the next message that answers one of the requests.</summary>
    /// <param name="wait">Whether to wait for the message; otherwise EAGAIN means that there is none.</param>
    /// <returns>
    /// 0 or the errno: EMSGSIZE if a datagram did not fit, although the next one of that length will; EBADMSG if it is not a sequence
    /// of complete messages; ETIMEDOUT if the kernel does not answer; ENOBUFS if answers were lost.
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

            int errno = socket.Receive(Buffer, wait, out int length, out uint sender);
            if (errno != 0)
            {
                return wait && errno == Errno.EAGAIN ? Errno.ETIMEDOUT : errno;
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

    /// <summary>
    /// The errno in an NLMSG_ERROR or NLMSG_DONE; 0: none, it is an acknowledgement; EBADMSG: it does not contain an errno.
    /// </summary>
    public int Error()
    {
        ReadOnlySpan<byte> payload = Payload;
        if (payload.Length < sizeof(int))
        {
            return Header.Type == Netlink.NLMSG_DONE ? 0 : Errno.EBADMSG;
        }

        int error = MemoryMarshal.Read<int>(payload);
        return error is <= 0 and >= -Errno.Max ? -error : Errno.EBADMSG;
    }

    public void Dispose() => socket.Dispose();

    /// <summary>Takes one message off the datagram; returns false if the rest is not a message.</summary>
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

/// <summary>Iterates over the attributes of a netlink message. An attribute that exceeds the message ends the iteration.</summary>
internal ref struct NetlinkAttributes(ReadOnlySpan<byte> attributes)
{
    private ReadOnlySpan<byte> _rest = attributes;

    /// <summary>The type of the attribute that <see cref="Next"/> moved to, without NLA_F_NESTED.</summary>
    public ushort Type { get; private set; }

    /// <summary>The value of that attribute.</summary>
    public ReadOnlySpan<byte> Value { get; private set; }

    /// <summary>Moves to the next attribute; returns false at the end.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool Next()
    {
        int headerSize = Unsafe.SizeOf<NlAttr>();
        if (_rest.Length < headerSize)
        {
            return false;
        }

        NlAttr header = MemoryMarshal.Read<NlAttr>(_rest);
        if (header.Length < headerSize || header.Length > _rest.Length)
        {
            return false;
        }

        Type = (ushort)(header.Type & ~Netlink.NLA_F_NESTED);
        Value = _rest[headerSize..header.Length];
        _rest = _rest[Math.Min(Netlink.Align(header.Length), _rest.Length)..];
        return true;
    }
}
