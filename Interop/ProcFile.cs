using System.Buffers.Text;
using System.Runtime.InteropServices;

namespace TcpCloser.Interop;

/// <summary>Reading /proc relative to directory descriptors (proc(5)).</summary>
internal static unsafe class ProcFile
{
    private static ReadOnlySpan<byte> SocketPrefix => "socket:["u8;

    /// <summary>Opens a directory. Returns the descriptor or minus the errno.</summary>
    public static int OpenDirectory(int directory, ReadOnlySpan<byte> path) =>
        Fcntl.Open(directory, path, Fcntl.O_RDONLY | Fcntl.O_DIRECTORY);

    /// <summary>Reads a file whole; empty where it cannot be read.</summary>
    public static byte[] Read(int directory, ReadOnlySpan<byte> path) => Read(directory, path, out byte[] content) == 0 ? content : [];

    /// <summary>Reads a file whole. Returns 0 or the errno.</summary>
    public static int Read(int directory, ReadOnlySpan<byte> path, out byte[] content)
    {
        content = [];
        int fd = Fcntl.Open(directory, path, Fcntl.O_RDONLY);
        if (fd < 0)
        {
            return -fd;
        }

        content = new byte[2048];
        int length = 0;
        int errno = 0;
        nint read;
        do
        {
            if (length == content.Length)
            {
                Array.Resize(ref content, length * 2);
            }

            fixed (byte* p = content)
            {
                read = Unistd.read(fd, p + length, (nuint)(content.Length - length));
                errno = read < 0 ? Marshal.GetLastPInvokeError() : 0;
            }

            length += (int)Math.Max(read, 0);
        }
        while (read > 0);

        _ = Unistd.close(fd);
        content = content[..length];
        return errno;
    }

    /// <summary>The next directory entries (getdents64(2)). Returns their bytes, 0 at the end, minus the errno on failure.</summary>
    public static int ReadEntries(int directory, Span<byte> buffer)
    {
        fixed (byte* p = buffer)
        {
            nint length = Unistd.syscall(Unistd.SYS_getdents64, directory, (nint)p, buffer.Length, 0, 0);
            return length >= 0 ? (int)length : -Marshal.GetLastPInvokeError();
        }
    }

    /// <summary>Takes one struct linux_dirent64 off the entries and returns its name, with the NUL and the padding behind it.</summary>
    public static ReadOnlySpan<byte> TakeName(ref ReadOnlySpan<byte> entries)
    {
        // d_ino 8, d_off 8, d_reclen 2, d_type 1, then the name.
        int length = MemoryMarshal.Read<ushort>(entries[16..]);
        ReadOnlySpan<byte> name = entries[19..length];
        entries = entries[length..];
        return name;
    }

    /// <summary>The same for a name that is a number; -1: it is none.</summary>
    public static int TakeNumber(ref ReadOnlySpan<byte> entries)
    {
        ReadOnlySpan<byte> name = TakeName(ref entries);
        return Utf8Parser.TryParse(name, out int number, out int used) && used < name.Length && name[used] == 0 ? number : -1;
    }

    /// <summary>The inode of the socket that a descriptor is, by its link below /proc/PID/fd; 0: it is none, or is gone.</summary>
    public static uint SocketInode(int fdDirectory, int fd)
    {
        Span<byte> path = stackalloc byte[12];
        Span<byte> link = stackalloc byte[32];
        ProcPath.Number(path, fd);
        nint length;
        fixed (byte* p = path)
        fixed (byte* l = link)
        {
            length = Unistd.readlinkat(fdDirectory, p, l, (nuint)link.Length);
        }

        return length > SocketPrefix.Length && link.StartsWith(SocketPrefix)
            && Utf8Parser.TryParse(link[SocketPrefix.Length..(int)length], out uint inode, out _) ? inode : 0;
    }

    /// <summary>The entries of a directory that are numbers; read ahead, so that the directory may be read again meanwhile.</summary>
    public static List<int> Numbers(int directory)
    {
        var numbers = new List<int>();
        ReadNumbers(directory, numbers);
        return numbers;
    }

    /// <summary>The same, into a list that may have been used before.</summary>
    public static void ReadNumbers(int directory, List<int> numbers)
    {
        numbers.Clear();
        Span<byte> buffer = stackalloc byte[32 * 1024];
        int length;
        while ((length = ReadEntries(directory, buffer)) > 0)
        {
            ReadOnlySpan<byte> entries = buffer[..length];
            while (!entries.IsEmpty)
            {
                int number = TakeNumber(ref entries);
                if (number >= 0)
                {
                    numbers.Add(number);
                }
            }
        }
    }

    /// <summary>The name of a process (/proc/PID/comm), without the newline: up to 15 bytes of anything.</summary>
    public static byte[] Comm(int proc, int pid)
    {
        byte[] comm = Read(proc, ProcPath.Of(pid, "comm"u8));
        return comm.Length > 0 ? comm[..^1] : comm;
    }
}
