using System.Runtime.InteropServices;
using System.Text;
using TcpCloser.Interop;

namespace TcpCloser.Cli;

/// <summary>Text files of the system that explain a value: /etc/passwd, /etc/services.</summary>
internal static unsafe class SystemFile
{
    /// <summary>Reads a file whole. Returns 0 or the errno; the text is empty then.</summary>
    public static int Read(ReadOnlySpan<byte> path, out string text)
    {
        text = "";
        int fd = Fcntl.Open(Fcntl.AT_FDCWD, path, Fcntl.O_RDONLY);
        if (fd < 0)
        {
            return -fd;
        }

        byte[] content = new byte[16 * 1024];
        int length = 0;
        int errno = 0;
        while (true)
        {
            if (length == content.Length)
            {
                Array.Resize(ref content, length * 2);
            }

            nint read;
            fixed (byte* p = content)
            {
                read = Unistd.read(fd, p + length, (nuint)(content.Length - length));
                errno = read < 0 ? Marshal.GetLastPInvokeError() : 0;
            }

            if (read <= 0)
            {
                break;
            }

            length += (int)read;
        }

        _ = Unistd.close(fd);
        if (errno == 0)
        {
            text = Encoding.UTF8.GetString(content, 0, length);
        }

        return errno;
    }
}
