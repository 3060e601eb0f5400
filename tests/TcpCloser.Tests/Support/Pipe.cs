using System.Runtime.InteropServices;
using System.Text;

namespace TcpCloser.Tests.Support;

/// <summary>A pipe (pipe(7)) of one page, which is read only when the test wants it.</summary>
internal sealed unsafe partial class Pipe : IDisposable
{
    private const int F_SETPIPE_SZ = 1031;
    private const int O_NONBLOCK = 0x800;
    private const int F_SETFL = 4;
    private int _reader;

    public Pipe()
    {
        int* ends = stackalloc int[2];
        Assert.Equal(0, pipe2(ends, 0));
        (_reader, Writer) = (ends[0], ends[1]);
        Assert.Equal(0, fcntl(_reader, F_SETFL, O_NONBLOCK));
        Size = fcntl(Writer, F_SETPIPE_SZ, 1);
        Assert.True(Size > 0);
    }

    public int Writer { get; } // the end to write to
    public int Size { get; } // its capacity in bytes

    public string Read()
    {
        byte[] buffer = new byte[Size];
        var text = new StringBuilder();
        fixed (byte* p = buffer)
        {
            nint count;
            while ((count = read(_reader, p, buffer.Length)) > 0)
            {
                text.Append(Encoding.UTF8.GetString(buffer, 0, (int)count));
            }
        }

        return text.ToString();
    }

    /// <summary>Leaves the pipe without a reader.</summary>
    public void CloseReader()
    {
        _ = close(_reader);
        _reader = -1;
    }

    public void Dispose()
    {
        CloseReader();
        _ = close(Writer);
    }

    [LibraryImport("libc")]
    private static partial int pipe2(int* ends, int flags);

    [LibraryImport("libc")]
    private static partial int fcntl(int fd, int command, int argument);

    [LibraryImport("libc")]
    private static partial nint read(int fd, byte* buffer, nint size);

    [LibraryImport("libc")]
    private static partial int close(int fd);
}
