using System.Text;

namespace TcpCloser.Tests.Support;

/// <summary>
/// A root directory with a cgroup2 mount point, a mountinfo that describes it, and the pods of a kubelet. Its directories have inode
/// numbers as those of cgroup2 have.
/// </summary>
internal sealed class FakeCgroups : IDisposable
{
    private readonly TemporaryDirectory _directory = new();

    /// <param name="mountPoint">Where it is mounted.</param>
    /// <param name="isPrivate">Whether it is the view of a private cgroup namespace.</param>
    /// <param name="others">Lines of other mounts, which come first.</param>
    public FakeCgroups(string mountPoint = "/sys/fs/cgroup", bool isPrivate = false, string others = "", string mountRoot = "/")
    {
        MountPoint = Root + mountPoint;
        Directory.CreateDirectory(MountPoint);
        Directory.CreateDirectory(Root + "/proc/self");
        if (isPrivate)
        {
            File.WriteAllText(MountPoint + "/cgroup.events", "");
        }

        File.WriteAllText(MountPoint + "/cgroup.procs", "");
        File.WriteAllText(Root + "/proc/self/mountinfo", $"22 1 0:20 / /proc rw - proc proc rw\n{others}{MountOf(MountPoint, mountPoint, mountRoot)}");
    }

    public string Root => _directory.Path;
    public string MountPoint { get; }

    /// <summary>The line of mountinfo for a directory that plays the part of a cgroup2 file system.</summary>
    /// <param name="directory">The directory.</param>
    /// <param name="mountPoint">The same directory as seen from the root directory of the tree.</param>
    public static string MountOf(string directory, string mountPoint, string mountRoot = "/")
    {
        _ = Fcntl.Open(Fcntl.AT_FDCWD, Bytes(directory), Fcntl.O_PATH, out int fd);
        ulong device = Stat.Identity(fd).Device;
        _ = Unistd.close(fd);
        ulong major = device >> 8 & 0xfff | device >> 32 & 0xffff_f000;
        ulong minor = device & 0xff | device >> 12 & 0xffff_ff00;
        string point = mountPoint.Replace(" ", "\\040", StringComparison.Ordinal);
        return $"41 31 {major}:{minor} {mountRoot} {point} rw,relatime shared:9 - cgroup2 cgroup2 rw\n";
    }

    /// <summary>Creates cgroups and returns the id of the last one.</summary>
    public ulong Add(params string[] paths)
    {
        ulong id = 0;
        foreach (string path in paths)
        {
            Directory.CreateDirectory(MountPoint + path);
            id = Id(path);
        }

        return id;
    }

    public ulong Id(string path) => Stat.Inode(Fcntl.AT_FDCWD, Bytes(MountPoint + path));

    /// <summary>Adds the directory of a pod's logs.</summary>
    public void AddPod(string name) => Directory.CreateDirectory($"{Root}/var/log/pods/{name}");

    /// <summary>Adds a process in a cgroup, as /proc/PID/cgroup has it.</summary>
    public void AddProcess(int pid, string cgroup)
    {
        Directory.CreateDirectory($"{Root}/proc/{pid}");
        File.WriteAllText($"{Root}/proc/{pid}/cgroup", cgroup);
    }

    public void Dispose() => _directory.Dispose();
    private static byte[] Bytes(string path) => [.. Encoding.UTF8.GetBytes(path), 0];
}
