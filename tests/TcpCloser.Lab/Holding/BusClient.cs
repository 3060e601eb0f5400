using System.Buffers.Binary;
using System.Text.RegularExpressions;

namespace TcpCloser.Lab.Holding;

/// <summary>
/// Clients of a D-Bus daemon. One reads nothing after it has got its name; another sends it more than its socket accepts, and then
/// a descriptor. The descriptor stays in the daemon, which thereby becomes a holder of the socket.
/// </summary>
internal sealed unsafe partial class BusClient
{
    private const byte MethodCall = 1;
    private const byte NoReplyExpected = 1;
    private const int FillSize = 100_000;
    private const int Fills = 8;
    private readonly int _fd;
    private int _serial;

    private BusClient(string path)
    {
        _fd = Errno.Check(Libc.Socket(Posix.AF_UNIX, Posix.SOCK_STREAM | Posix.SOCK_CLOEXEC, 0), "socket");
        var address = SockAddressUnix.For(path);
        Errno.Check(Libc.ConnectUnix(_fd, &address, (uint)sizeof(SockAddressUnix)), $"connect to {path}");
        string user = Libc.GetUserId().ToString(CultureInfo.InvariantCulture);
        Send(Encoding.ASCII.GetBytes($"\0AUTH EXTERNAL {Convert.ToHexString(Encoding.ASCII.GetBytes(user))}\r\n"));
        AwaitAnswer("OK ");
        Send("NEGOTIATE_UNIX_FD\r\n"u8);
        AwaitAnswer("AGREE_UNIX_FD");
        Send("BEGIN\r\n"u8);
        Send(Call("org.freedesktop.DBus", "Hello", "", [], 0));
        Name = UniqueName().Match(AwaitAnswer(":1.")).Value;
    }

    private string Name { get; }

    /// <summary>Leaves a descriptor in the daemon. Both clients stay connected.</summary>
    internal static void LeaveInDaemon(int descriptor, string path)
    {
        BusClient reader = new(path);
        BusClient sender = new(path);
        byte[] fill = new byte[sizeof(int) + FillSize];
        BinaryPrimitives.WriteInt32LittleEndian(fill, FillSize);
        for (int i = 0; i < Fills; i++)
        {
            sender.Send(sender.Call(reader.Name, "Fill", "ay", fill, 0));
        }
        LabException.ThrowIf(
            !DescriptorSender.Send(sender._fd, sender.Call(reader.Name, "Keep", "h", new byte[sizeof(int)], 1), [descriptor]),
            "the bus daemon is gone");
    }

    [GeneratedRegex(@":1\.\d+")]
    private static partial Regex UniqueName();

    /// <summary>Builds a message (D-Bus specification): the header's fields are structs, each aligned to 8 bytes.</summary>
    private byte[] Call(string destination, string member, string signature, byte[] body, int descriptors)
    {
        List<byte> fields = [];
        Add(1, 'o', Text("/org/freedesktop/DBus"));
        Add(2, 's', Text("org.freedesktop.DBus"));
        Add(3, 's', Text(member));
        Add(6, 's', Text(destination));
        if (signature.Length > 0)
        {
            Add(8, 'g', [(byte)signature.Length, .. Encoding.ASCII.GetBytes(signature), 0]);
        }

        if (descriptors > 0)
        {
            Add(9, 'u', Number(descriptors));
        }

        byte[] header = [(byte)'l', MethodCall, NoReplyExpected, 1, .. Number(body.Length), .. Number(++_serial), .. Number(fields.Count), .. fields];
        return [.. header, .. new byte[-header.Length & 7], .. body];

        void Add(byte code, char type, byte[] value)
        {
            fields.AddRange(new byte[-fields.Count & 7]);
            fields.AddRange([code, 1, (byte)type, 0, .. value]);
        }
    }

    private static byte[] Text(string text) => [.. Number(text.Length), .. Encoding.ASCII.GetBytes(text), 0];

    private static byte[] Number(int number)
    {
        byte[] bytes = new byte[sizeof(int)];
        BinaryPrimitives.WriteInt32LittleEndian(bytes, number);
        return bytes;
    }

    private void Send(ReadOnlySpan<byte> bytes)
    {
        fixed (byte* data = bytes)
        {
            for (int done = 0; done < bytes.Length;)
            {
                done += Errno.Check(Libc.Send(_fd, data + done, (nuint)(bytes.Length - done), Posix.MSG_NOSIGNAL), "send to the bus");
            }
        }
    }

    private string AwaitAnswer(string text)
    {
        const int ChunkSize = 1024;
        byte* chunk = stackalloc byte[ChunkSize];
        string answer = "";
        while (!answer.Contains(text))
        {
            int length = Errno.Check(Libc.Receive(_fd, chunk, ChunkSize, 0), "recv from the bus");
            answer += length > 0 ? Encoding.Latin1.GetString(chunk, length) : throw new LabException($"the bus daemon closed the connection before '{text}'");
        }

        return answer;
    }
}
