using System.Buffers.Text;
using System.Runtime.InteropServices;
using TcpCloser.Interop;

namespace TcpCloser.Proc;

/// <summary>Reading /proc relative to directory descriptors (proc(5)).</summary>
internal static unsafe class ProcFile
{
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

        Span<byte> buffer = stackalloc byte[2048];
        int length = 0;
        int errno = 0;
        nint read;
        do
        {
            if (length == buffer.Length)
            {
                var larger = new byte[length * 2];
                buffer.CopyTo(larger);
                buffer = larger;
            }

            fixed (byte* p = buffer[length..])
            {
                read = Unistd.read(fd, p, (nuint)(buffer.Length - length));
                errno = read < 0 ? Marshal.GetLastPInvokeError() : 0;
            }

            length += (int)Math.Max(read, 0);
        }
        while (read > 0);

        _ = Unistd.close(fd);
        content = buffer[..length].ToArray();
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

    /// <summary>Reads a symbolic link. Returns how many bytes of it fit into the target, or minus the errno.</summary>
    public static int ReadLink(int directory, ReadOnlySpan<byte> path, Span<byte> target)
    {
        fixed (byte* p = path)
        fixed (byte* t = target)
        {
            nint length = Unistd.readlinkat(directory, p, t, (nuint)target.Length);
            return length >= 0 ? (int)length : -Marshal.GetLastPInvokeError();
        }
    }

    /// <summary>Reads the entries of a directory that are numbers, into a list that may have been used before. Returns 0 or the errno.</summary>
    public static int ReadNumbers(int directory, List<int> numbers)
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

        return -length;
    }

    /// <summary>The name of a process (/proc/PID/comm), without the newline: up to 15 bytes of anything; empty where it cannot be read.</summary>
    public static byte[] Comm(IProcessTable table, int pid) => ReadComm(table, pid, out byte[] comm) == 0 ? comm : [];

    /// <summary>The same. Returns 0 or the errno.</summary>
    public static int ReadComm(IProcessTable table, int pid, out byte[] comm)
    {
        int errno = table.ReadFile(pid, "comm"u8, out byte[] content);
        comm = errno == 0 && content.Length > 0 ? content[..^1] : [];
        return errno;
    }
}
