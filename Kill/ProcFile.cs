using System.Buffers.Text;
using System.Runtime.InteropServices;
using TcpCloser.Interop;

namespace TcpCloser.Kill;

/// <summary>Reading /proc relative to directory descriptors (proc(5)).</summary>
internal static unsafe class ProcFile
{
    private static ReadOnlySpan<byte> SocketPrefix => "socket:["u8;

    /// <summary>Opens a directory. Returns the descriptor or minus the errno.</summary>
    public static int OpenDirectory(int directory, ReadOnlySpan<byte> path) =>
        Fcntl.Open(directory, path, Fcntl.O_RDONLY | Fcntl.O_DIRECTORY);

    /// <summary>Reads a small file whole; empty where it cannot be read.</summary>
    public static byte[] Read(int directory, ReadOnlySpan<byte> path)
    {
        int fd = Fcntl.Open(directory, path, Fcntl.O_RDONLY);
        if (fd < 0)
        {
            return [];
        }

        var content = new byte[4096];
        int length = 0;
        fixed (byte* p = content)
        {
            nint read;
            while (length < content.Length && (read = Unistd.read(fd, p + length, (nuint)(content.Length - length))) > 0)
            {
                length += (int)read;
            }
        }

        _ = Unistd.close(fd);
        return content[..length];
    }

    /// <summary>The next directory entries (getdents64(2)). Returns their bytes, 0 at the end, minus the errno on failure.</summary>
    public static int ReadEntries(int directory, Span<byte> buffer)
    {
        fixed (byte* p = buffer)
        {
            nint length = Unistd.syscall(Unistd.SYS_getdents64, directory, (nint)p, buffer.Length, 0);
            return length >= 0 ? (int)length : -Marshal.GetLastPInvokeError();
        }
    }

    /// <summary>Takes one struct linux_dirent64 off the entries and returns its name as a number; -1: it is none.</summary>
    public static int TakeNumber(ref ReadOnlySpan<byte> entries)
    {
        // d_ino 8, d_off 8, d_reclen 2, d_type 1, then the name with its NUL.
        int length = MemoryMarshal.Read<ushort>(entries[16..]);
        ReadOnlySpan<byte> name = entries[19..length];
        entries = entries[length..];
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
}
