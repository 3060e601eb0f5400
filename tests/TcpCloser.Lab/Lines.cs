namespace TcpCloser.Lab;

/// <summary>Reads lines from a descriptor; System.Console would start a thread and access the terminal.</summary>
internal sealed unsafe class LineReader(int fd)
{
    private readonly byte[] _buffer = new byte[4096];
    private readonly List<byte> _pending = [];

    /// <summary>The next line, or null at the end of the input.</summary>
    internal string? ReadLine()
    {
        while (true)
        {
            int end = _pending.IndexOf((byte)'\n');
            if (end >= 0)
            {
                string line = Encoding.UTF8.GetString([.. _pending.GetRange(0, end)]);
                _pending.RemoveRange(0, end + 1);
                return line;
            }
            nint count;
            fixed (byte* data = _buffer)
            {
                count = Libc.Read(fd, data, (nuint)_buffer.Length);
            }
            if (count == 0 || (count < 0 && Errno.Last != Errno.EINTR))
            {
                return null;
            }
            _pending.AddRange(_buffer.AsSpan(0, (int)Math.Max(count, 0)));
        }
    }
}

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
