using System.Runtime.InteropServices;
using TcpCloser.Interop;

namespace TcpCloser.Proc;

/// <summary>
/// A directory of cgroup v2. The kernel's id of a cgroup is the inode number of its directory on the cgroup2 file system. An inode
/// number on any other file system has no meaning here and may equal the id of an unrelated cgroup.
/// </summary>
internal static class CgroupDirectory
{
    /// <summary>Reads the id of the cgroup at a path.</summary>
    /// <returns>0 or the errno: ENOENT or ENOTDIR if the path does not exist; EINVAL if it is not a cgroup.</returns>
    public static int Find(ReadOnlySpan<byte> path, out ulong id)
    {
        id = 0;
        int errno = Fcntl.Open(Fcntl.AT_FDCWD, [.. path, 0], Fcntl.O_PATH, out int fd);
        if (errno != 0)
        {
            return errno;
        }

        long type = Statfs.TypeOf(fd);
        errno = type == 0 ? Marshal.GetLastPInvokeError()
            : type != Statfs.CGROUP2_SUPER_MAGIC ? Errno.EINVAL
            : Stat.DirectoryInode(fd, out id);
        _ = Unistd.close(fd);
        return errno;
    }
}
