using System.Runtime.InteropServices;
using TcpCloser.Interop;

namespace TcpCloser.Report;

/// <summary>
/// Writes to a descriptor that others may share, and whose reader may stall (less(1), a FIFO). It is not made non-blocking, which
/// would be so for the others, too: poll(2) tells that there is room, and a write of at most PIPE_BUF then does not block.
/// </summary>
/// <param name="fd">The descriptor.</param>
/// <param name="patience">How long to wait for room.</param>
internal sealed unsafe class OutputStream(int fd, Patience patience)
{
    /// <summary>PIPE_BUF (limits.h): a pipe that polls as writable takes as much.</summary>
    private const int MaxWrite = 4096;

    private bool _stalled;
    private TimeSpan _afterSignal;

    public int Descriptor { get; set; } = fd;

    /// <summary>The errno of the first write(2) that failed; 0: none did.</summary>
    public int Errno { get; private set; }

    /// <summary>Lines that were lost because there was no room for too long.</summary>
    public long Lost { get; private set; }

    /// <summary>Of those, those that <see cref="TakeLost"/> has not given.</summary>
    public long Untold { get; private set; }

    /// <summary>Writes lines, each of which ends with a newline. Returns 0 or the errno of write(2).</summary>
    public int Write(ReadOnlySpan<byte> lines)
    {
        while (!lines.IsEmpty)
        {
            if (!HasRoom())
            {
                int lost = lines.Count((byte)'\n');
                Lost += lost;
                Untold += lost;
                return 0;
            }

            int length = LengthOfWrite(lines);
            int errno = WriteAll(lines[..length]);
            if (errno != 0)
            {
                Errno = Errno == 0 ? errno : Errno;
                return errno;
            }

            lines = lines[length..];
        }

        return 0;
    }

    /// <summary>Takes how many lines were lost since this was last asked; 0 also while there is still no room to tell it.</summary>
    public long TakeLost()
    {
        if (Untold == 0 || !Patience.IsReady(Descriptor))
        {
            return 0;
        }

        long untold = Untold;
        Untold = 0;
        return untold;
    }

    /// <summary>After having waited in vain, there is no more waiting until there is room again.</summary>
    private bool HasRoom()
    {
        bool room = _stalled ? Patience.IsReady(Descriptor) : patience.Await(Descriptor, ref _afterSignal);
        _stalled = !room;
        return room;
    }

    /// <summary>Up to the end of the last line that fits, so that no line is half lost.</summary>
    private static int LengthOfWrite(ReadOnlySpan<byte> lines)
    {
        if (lines.Length <= MaxWrite)
        {
            return lines.Length;
        }

        int end = lines[..MaxWrite].LastIndexOf((byte)'\n') + 1;
        return end > 0 ? end : MaxWrite;
    }

    /// <summary>Returns 0 or the errno.</summary>
    private int WriteAll(ReadOnlySpan<byte> text)
    {
        fixed (byte* p = text)
        {
            int done = 0;
            while (done < text.Length)
            {
                nint written = Unistd.write(Descriptor, p + done, (nuint)(text.Length - done));
                if (written >= 0)
                {
                    done += (int)written;
                    continue;
                }

                int errno = Marshal.GetLastPInvokeError();
                if (errno == Interop.Errno.EAGAIN)
                {
                    // Somebody made it non-blocking, and another writer was quicker.
                    if (!patience.Await(Descriptor, ref _afterSignal))
                    {
                        return errno;
                    }
                }
                else if (errno != Interop.Errno.EINTR)
                {
                    return errno;
                }
            }
        }

        return 0;
    }
}
