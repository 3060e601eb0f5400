using System.Buffers.Text;
using System.Runtime.InteropServices;
using System.Text;
using TcpCloser.Interop;

namespace TcpCloser.Proc;

/// <summary>Reads /proc (proc(5)) relative to directory descriptors, and other small files of the system. Paths end with a NUL.</summary>
internal static unsafe class ProcFile
{
    /// <summary>Opens a directory. Returns 0 or the errno.</summary>
    public static int OpenDirectory(int directory, ReadOnlySpan<byte> path, out int fd) =>
        Fcntl.Open(directory, path, Fcntl.O_RDONLY | Fcntl.O_DIRECTORY, out fd);

    /// <summary>Reads a whole file; empty: it cannot be read.</summary>
    public static byte[] Read(int directory, ReadOnlySpan<byte> path) => Read(directory, path, out byte[] content) == 0 ? content : [];

    /// <summary>Reads a whole file. Returns 0 or the errno.</summary>
    public static int Read(int directory, ReadOnlySpan<byte> path, out byte[] content)
    {
        content = [];
        int errno = Fcntl.Open(directory, path, Fcntl.O_RDONLY, out int fd);
        if (errno != 0)
        {
            return errno;
        }

        Span<byte> buffer = stackalloc byte[2048];
        int length = 0;
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

    /// <summary>Reads a whole text file by its absolute path. Returns 0 or the errno, then with an empty text.</summary>
    public static int ReadText(ReadOnlySpan<byte> path, out string text)
    {
        int errno = Read(Fcntl.AT_FDCWD, path, out byte[] content);
        text = errno == 0 ? Encoding.UTF8.GetString(content) : "";
        return errno;
    }

    /// <summary>Reads the next directory entries (getdents64(2)). Returns 0 or the errno.</summary>
    /// <param name="length">The length of the entries in bytes; 0: the end; -1: they could not be read.</param>
    public static int ReadEntries(int directory, Span<byte> buffer, out int length)
    {
        fixed (byte* p = buffer)
        {
            return Unistd.Syscall(Unistd.SYS_getdents64, directory, (nint)p, buffer.Length, out length);
        }
    }

    /// <summary>Removes one struct linux_dirent64 from the entries and returns its name, followed by the NUL and the padding.</summary>
    public static ReadOnlySpan<byte> TakeName(ref ReadOnlySpan<byte> entries)
    {
        // d_ino 8, d_off 8, d_reclen 2, d_type 1, then the name.
        int length = MemoryMarshal.Read<ushort>(entries[16..]);
        ReadOnlySpan<byte> name = entries[19..length];
        entries = entries[length..];
        return name;
    }

    /// <summary>
    /// Removes one struct linux_dirent64 from the entries and returns its name, without the NUL, if it is a directory; empty: it is
    /// something else, or the directory itself or its parent.
    /// </summary>
    /// <param name="inode">Its inode number.</param>
    public static ReadOnlySpan<byte> TakeDirectory(ref ReadOnlySpan<byte> entries, out ulong inode)
    {
        const byte DT_DIR = 4;
        inode = MemoryMarshal.Read<ulong>(entries);
        bool isDirectory = entries[18] == DT_DIR;
        ReadOnlySpan<byte> name = TakeName(ref entries);
        name = name[..name.IndexOf((byte)0)];
        return isDirectory && !name.SequenceEqual("."u8) && !name.SequenceEqual(".."u8) ? name : [];
    }

    /// <summary>Removes one struct linux_dirent64 from the entries and returns its name as a number; -1: it is not a number.</summary>
    public static int TakeNumber(ref ReadOnlySpan<byte> entries)
    {
        ReadOnlySpan<byte> name = TakeName(ref entries);
        return Utf8Parser.TryParse(name, out int number, out int used) && used < name.Length && name[used] == 0 ? number : -1;
    }

    /// <summary>Reads a symbolic link. Returns 0 or the errno.</summary>
    /// <param name="length">The number of bytes that fit into the target; 0: the link could not be read.</param>
    public static int ReadLink(int directory, ReadOnlySpan<byte> path, Span<byte> target, out int length)
    {
        fixed (byte* p = path)
        fixed (byte* t = target)
        {
            int result = (int)Unistd.readlinkat(directory, p, t, (nuint)target.Length);
            length = Math.Max(result, 0);
            return result >= 0 ? 0 : Marshal.GetLastPInvokeError();
        }
    }

    /// <summary>Replaces the content of the list with the entries of a directory that are numbers. Returns 0 or the errno.</summary>
    public static int ReadNumbers(int directory, List<int> numbers)
    {
        numbers.Clear();
        Span<byte> buffer = stackalloc byte[32 * 1024];
        int errno;
        while ((errno = ReadEntries(directory, buffer, out int length)) == 0 && length > 0)
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

        return errno;
    }

    /// <summary>
    /// The name of a process (/proc/PID/comm) without the newline: up to 15 bytes in any encoding; empty: it cannot be read.
    /// </summary>
    public static byte[] Comm(IProcessTable table, int pid) => ReadComm(table, pid, out byte[] comm) == 0 ? comm : [];

    /// <summary>Reads the name of a process as <see cref="Comm"/> does. Returns 0 or the errno.</summary>
    public static int ReadComm(IProcessTable table, int pid, out byte[] comm)
    {
        int errno = table.ReadFile(pid, "comm"u8, out byte[] content);
        comm = errno == 0 && content.Length > 0 ? content[..^1] : [];
        return errno;
    }
}

/// <summary>Paths relative to /proc, with a NUL at the end.</summary>
internal static class ProcPath
{
    /// <summary><c>PID/name</c>.</summary>
    public static byte[] Of(int pid, ReadOnlySpan<byte> name)
    {
        Span<byte> path = stackalloc byte[64];
        int length = Number(path, pid);
        path[length++] = (byte)'/';
        name.CopyTo(path[length..]);
        return path[..(length + name.Length + 1)].ToArray();
    }

    /// <summary><c>PID/task/THREAD/name</c>.</summary>
    public static byte[] Of(int pid, int thread, ReadOnlySpan<byte> name)
    {
        Span<byte> path = stackalloc byte[64];
        int length = Number(path, pid);
        "/task/"u8.CopyTo(path[length..]);
        length += "/task/"u8.Length;
        length += Number(path[length..], thread);
        path[length++] = (byte)'/';
        name.CopyTo(path[length..]);
        return path[..(length + name.Length + 1)].ToArray();
    }

    /// <summary>Writes a number and a NUL. Returns the length without the NUL.</summary>
    public static int Number(Span<byte> path, int number)
    {
        Utf8Formatter.TryFormat(number, path, out int length);
        path[length] = 0;
        return length;
    }
}
