using System.Text;
using TcpCloser.Lab.Interop;

namespace TcpCloser.Lab;

/// <summary>Writes lines to stdout or stderr, unbuffered.</summary>
internal static unsafe class LineWriter
{
    internal static void Write(IEnumerable<string> lines, int fd = 1)
    {
        byte[] bytes = Encoding.UTF8.GetBytes(string.Concat(lines.Select(line => line + "\n")));
        fixed (byte* data = bytes)
        {
            for (int done = 0; done < bytes.Length;)
            {
                nint written = Libc.Write(fd, data + done, (nuint)(bytes.Length - done));
                if (written < 0 && Errno.Last != Errno.EINTR)
                {
                    return; // the reader is gone; the end of stdin follows
                }

                done += (int)Math.Max(written, 0);
            }
        }
    }
}
