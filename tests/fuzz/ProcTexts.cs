using System.Globalization;
using System.Text;

namespace TcpCloser.Fuzz;

/// <summary>The files of /proc, each with its own parser.</summary>
internal sealed class ProcTexts : ITarget
{
    private static readonly FakeProcess s_process = new(4711)
    {
        Comm = ") 1 (x) S"u8.ToArray(),
        Parent = 12,
        Terminal = 34816,
        Uid = 1000,
        NamespacePids = [4711, 17, 1],
        HasSeccompFilter = true,
    };

    private static readonly byte[] s_stat = s_process.File("stat")!;
    private static readonly byte[] s_status = s_process.File("status")!;
    private static readonly byte[] s_sshConnection = "10.0.0.2 51422 fe80::1%eth0 22"u8.ToArray();
    private static readonly byte[] s_mount = "41 31 0:38 / /sys/fs/cgroup/a\\040b rw,relatime shared:9 - cgroup2 cgroup2 rw"u8.ToArray();

    private static readonly byte[] s_cgroup =
        ("/system.slice/_a.service/kubepods-pod8f1c2d3e_4a5b_6c7d_8e9f_0a1b2c3d4e5f.slice/docker-3f2a9c1b7d4e5f60718293a4b5c6d7e8f90a1b2c3d4e5f60718293a4b5c6d7e8" +
            ".scope/lxc.payload.x").Select(static letter => (byte)letter).ToArray();

    public string Name => "/proc texts";

    public bool Try(Dice dice)
    {
        var mutator = new Mutator(dice);
        byte[] stat = mutator.Damage(s_stat, s_status);
        bool isAccepted = ProcessStat.TryParse(stat, out ProcessStat parsed);
        Check.That(isAccepted || parsed is { Parent: 0, Terminal: 0, IsKernelThread: false }, "a partly parsed stat");

        byte[] text = mutator.Damage(s_status, s_stat);
        ProcessStatus status = ProcessStatus.Parse(text);
        Check.That(status.EffectiveUid is not { } uid || Contains(text, uid), $"uid {status.EffectiveUid} is not in the text");
        Check.That(!status.IsInitOfItsNamespace || Contains(text, 1), "process 1, which is not in the text");

        string connection = Encoding.UTF8.GetString(mutator.Damage(s_sshConnection, s_stat));
        Check.That(SessionEnds.Parse(connection) is null || connection.Split(' ').Length == 4, "endpoints that are not in the text");

        CgroupMount? mount = CgroupMount.Parse(mutator.Damage(s_mount, s_status));
        Check.That(mount is null || !mount.Point.AsSpan().EndsWith("/"u8), "a mount point with a slash at its end");
        byte[] path = mutator.Damage(s_cgroup, s_mount);
        CgroupName name = CgroupName.Of(path, static _ => null);
        foreach (byte[] part in (byte[][])[name.Unit, name.Container])
        {
            Check.That(path.AsSpan().IndexOf(part) >= 0 && part.AsSpan().IndexOf((byte)'/') < 0, "a name that is not in the path");
        }

        return isAccepted;
    }

    private static bool Contains(ReadOnlySpan<byte> text, uint number) =>
        text.IndexOf(Encoding.ASCII.GetBytes(number.ToString(CultureInfo.InvariantCulture))) >= 0;
}
