using System.Globalization;
using System.Text;
using TcpCloser.Kill;
using TcpCloser.Proc;
using TcpCloser.Tests.Support;

namespace TcpCloser.Fuzz;

/// <summary>The files of /proc that are read, each by its own parser.</summary>
internal sealed class ProcTexts : ITarget
{
    private static readonly FakeProcess s_process = new(4711)
    {
        Comm = ") 1 (x) S"u8.ToArray(),
        Parent = 12,
        Terminal = 34816,
        Uid = 1000,
        NamespacePids = [4711, 17, 1],
        IsFiltered = true,
    };

    private static readonly byte[] s_stat = s_process.File("stat")!;

    private static readonly byte[] s_status = s_process.File("status")!;

    private static readonly byte[] s_sshConnection = "10.0.0.2 51422 fe80::1%eth0 22"u8.ToArray();

    public string Name => "/proc texts";

    public bool Try(Dice dice)
    {
        var mutator = new Mutator(dice);
        byte[] stat = mutator.Damage(s_stat, s_status);
        bool isTaken = ProcessStat.TryParse(stat, out ProcessStat parsed);
        Check.That(isTaken || parsed is { Parent: 0, Terminal: 0, IsKernelThread: false }, "half a stat");

        byte[] text = mutator.Damage(s_status, s_stat);
        ProcessStatus status = ProcessStatus.Parse(text);
        Check.That(status.EffectiveUid is not { } uid || Contains(text, uid), $"uid {status.EffectiveUid} does not stand there");
        Check.That(!status.IsFirstOfItsNamespace || Contains(text, 1), "process 1, which does not stand there");

        string connection = Encoding.UTF8.GetString(mutator.Damage(s_sshConnection, s_stat));
        Check.That(SessionEnds.Parse(connection) is null || connection.Split(' ').Length == 4, "the ends of a connection out of nothing");
        return isTaken;
    }

    private static bool Contains(ReadOnlySpan<byte> text, uint number) =>
        text.IndexOf(Encoding.ASCII.GetBytes(number.ToString(CultureInfo.InvariantCulture))) >= 0;
}
