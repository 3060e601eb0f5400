using System.Buffers.Binary;
using System.Reflection;

namespace TcpCloser.Tests.Support;

/// <summary>A dump that Assets/record.py recorded on a real kernel (6.18), and the connections that existed then.</summary>
internal sealed class Recording
{
    public Recording(string name)
    {
        ReadOnlySpan<byte> content = Resource(name + ".dump");
        while (!content.IsEmpty)
        {
            int length = BinaryPrimitives.ReadInt32LittleEndian(content);
            Datagrams.Add(content.Slice(4, length).ToArray());
            content = content[(4 + length)..];
        }

        Connections = System.Text.Encoding.ASCII.GetString(Resource(name + ".txt")).Split('\n', StringSplitOptions.RemoveEmptyEntries);
    }

    public List<byte[]> Datagrams { get; } = [];
    public string[] Connections { get; } // family, state, local and remote endpoint, inode; sorted

    private static byte[] Resource(string name)
    {
        using Stream stream = Assembly.GetExecutingAssembly().GetManifestResourceStream(name)!;
        var content = new byte[stream.Length];
        stream.ReadExactly(content);
        return content;
    }
}
