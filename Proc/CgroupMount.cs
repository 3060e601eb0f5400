using System.Buffers.Text;
using System.Runtime.InteropServices;
using System.Text;
using TcpCloser.Interop;

namespace TcpCloser.Proc;

/// <summary>A cgroup2 file system in /proc/self/mountinfo (proc(5)).</summary>
/// <param name="Point">The mount point, without a slash at its end.</param>
/// <param name="Root">
/// The path of the cgroup that is mounted, without a slash at its end; empty: the root of the cgroup namespace, or a cgroup outside of it.
/// </param>
/// <param name="Device">The device of its files, as a dev_t.</param>
internal sealed record CgroupMount(byte[] Point, byte[] Root, ulong Device)
{
    /// <summary>Whether it shows the root cgroup of the machine, and with it all cgroups.</summary>
    public bool IsWhole { get; set; }

    /// <summary>Parses a line; null: it is a mount of another file system.</summary>
    public static CgroupMount? Parse(ReadOnlySpan<byte> line)
    {
        // 36 35 0:38 / /sys/fs/cgroup rw,relatime shared:9 - cgroup2 cgroup2 rw
        if (line.IndexOf(" - cgroup2 "u8) < 0)
        {
            return null;
        }

        Span<Range> fields = stackalloc Range[5];
        int count = 0;
        foreach (Range field in line.Split((byte)' '))
        {
            if (count < fields.Length)
            {
                fields[count++] = field;
            }
        }

        ReadOnlySpan<byte> device = line[fields[2]];
        if (!Utf8Parser.TryParse(device, out uint major, out int length) || length == device.Length
            || !Utf8Parser.TryParse(device[(length + 1)..], out uint minor, out _))
        {
            return null;
        }

        byte[] cgroup = Unescape(line[fields[3]]);
        return new CgroupMount(Unescape(line[fields[4]]), cgroup.AsSpan().StartsWith("/.."u8) ? [] : cgroup, Stat.Device(major, minor));
    }

    /// <summary>Opens its directory. Returns 0 or the errno; ENOENT if another file system covers it.</summary>
    /// <param name="root">The directory with the mount point; empty: the root directory.</param>
    public int Open(string root, out int fd)
    {
        int errno = ProcFile.OpenDirectory(Fcntl.AT_FDCWD, [.. Encoding.UTF8.GetBytes(root), .. Point, (byte)'/', 0], out fd);
        if (errno == 0 && Stat.Identity(fd).Device != Device)
        {
            _ = Unistd.close(fd);
            return Errno.ENOENT;
        }

        return errno;
    }

    /// <summary>A path in which the kernel wrote blanks and backslashes as <c>\040</c>, without a slash at its end.</summary>
    private static byte[] Unescape(ReadOnlySpan<byte> field)
    {
        var path = new List<byte>(field.Length);
        for (int i = 0; i < field.Length; i++)
        {
            if (field[i] == '\\' && i + 3 < field.Length)
            {
                path.Add((byte)((field[i + 1] - '0') << 6 | (field[i + 2] - '0') << 3 | field[i + 3] - '0'));
                i += 3;
            }
            else
            {
                path.Add(field[i]);
            }
        }

        return [.. CollectionsMarshal.AsSpan(path).TrimEnd((byte)'/')];
    }
}
