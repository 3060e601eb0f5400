using System.Buffers.Text;

namespace TcpCloser.Proc;

/// <summary>Paths below /proc, with the NUL that the kernel wants.</summary>
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

    /// <summary>Writes the number and a NUL; returns the length without the NUL.</summary>
    public static int Number(Span<byte> path, int number)
    {
        Utf8Formatter.TryFormat(number, path, out int length);
        path[length] = 0;
        return length;
    }
}
