using System.Runtime.InteropServices;
using System.Text;

namespace TcpCloser.Lab.Interop;

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
        if (bytes.Length >= PathSize)
        {
            throw new LabException($"{path}: too long for a Unix socket");
        }

        SockAddressUnix result = default;
        result._family = Posix.AF_UNIX;
        bytes.CopyTo(new Span<byte>(result._path, PathSize));
        return result;
    }
}
