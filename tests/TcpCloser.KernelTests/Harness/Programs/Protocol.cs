namespace TcpCloser.KernelTests.Harness.Programs;

/// <summary>What a client sends to a server: to log in, and a request that the server itself has to answer.</summary>
internal sealed record Protocol(Action<NetworkStream> LogIn, Action<NetworkStream> Ask)
{
    /// <summary>A GET on a persistent connection (RFC 9112), answered with the word <c>served</c>.</summary>
    internal static readonly Protocol Http = new(static _ => { }, static stream => Get(stream));

    /// <summary>Redis's inline commands.</summary>
    internal static readonly Protocol Redis = new(static _ => { }, static stream =>
    {
        stream.Write("PING\r\n"u8);
        Assert.Equal("+PONG\r\n", Text(Read(stream, 7)));
    });

    /// <summary>MQTT 3.1.1 without the protocol's own keepalive.</summary>
    internal static readonly Protocol Mqtt = new(
        static stream =>
        {
            byte[] name = Encoding.ASCII.GetBytes(Guid.NewGuid().ToString("N")[..20]);
            stream.Write([0x10, (byte)(12 + name.Length), 0, 4, .. "MQTT"u8, 4, 2, 0, 0, 0, (byte)name.Length, .. name]); // CONNECT, a clean session
            Assert.Equal([0x20, 2, 0, 0], Read(stream, 4)); // CONNACK, accepted
        },
        static stream =>
        {
            stream.Write([0xc0, 0]); // PINGREQ
            Assert.Equal([0xd0, 0], Read(stream, 2)); // PINGRESP
        });

    /// <summary>PostgreSQL's protocol version 3, as the user <c>test</c> who needs no password; pgbouncer also speaks it.</summary>
    internal static readonly Protocol Postgres = new(
        static stream =>
        {
            byte[] startup = [0, 3, 0, 0, .. "user\0test\0database\0postgres\0\0"u8];
            stream.Write([0, 0, 0, (byte)(startup.Length + 4), .. startup]);
            ReadUntilReady(stream);
        },
        static stream =>
        {
            byte[] query = [.. "select 1\0"u8];
            stream.Write([(byte)'Q', 0, 0, 0, (byte)(query.Length + 4), .. query]);
            Assert.Contains('D', ReadUntilReady(stream)); // DataRow
        });

    /// <summary>The protocol of MariaDB and MySQL, as root without a password.</summary>
    internal static readonly Protocol Maria = new(
        static stream =>
        {
            Assert.Equal(10, ReadMariaPacket(stream)[0]); // the server's greeting, version 10 of the protocol
            const int Capabilities = 0x0008_8201; // long passwords, protocol 4.1, secure connection, plugin
            byte[] login = [.. BitConverter.GetBytes(Capabilities), 0, 0, 0, 1, 33, .. new byte[23], .. "root\0"u8, 0, .. "mysql_native_password\0"u8];
            stream.Write([(byte)login.Length, 0, 0, 1, .. login]);
            Assert.Equal(0, ReadMariaPacket(stream)[0]); // OK
        },
        static stream =>
        {
            stream.Write([1, 0, 0, 0, 0x0e]); // COM_PING
            Assert.Equal(0, ReadMariaPacket(stream)[0]);
        });

    private static void Get(NetworkStream stream)
    {
        stream.Write("GET / HTTP/1.1\r\nHost: test\r\n\r\n"u8);
        var answer = new StringBuilder();
        while (!answer.ToString().EndsWith("\r\n\r\nserved", StringComparison.Ordinal))
        {
            answer.Append((char)Read(stream, 1)[0]);
        }
    }

    /// <summary>The types of all messages up to ReadyForQuery.</summary>
    private static string ReadUntilReady(NetworkStream stream)
    {
        string types = "";
        while (!types.EndsWith('Z'))
        {
            byte[] head = Read(stream, 5);
            byte[] body = Read(stream, (head[1] << 24 | head[2] << 16 | head[3] << 8 | head[4]) - 4);
            Assert.True(head[0] != 'E', Text(body));
            types += (char)head[0];
        }

        return types;
    }

    private static byte[] ReadMariaPacket(NetworkStream stream)
    {
        byte[] head = Read(stream, 4);
        return Read(stream, head[0] | head[1] << 8 | head[2] << 16);
    }

    private static byte[] Read(NetworkStream stream, int count)
    {
        byte[] bytes = new byte[count];
        stream.ReadExactly(bytes);
        return bytes;
    }

    private static string Text(byte[] bytes) => Encoding.ASCII.GetString(bytes).Replace('\0', ' ');
}
