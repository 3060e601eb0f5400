using System.Text;

namespace TcpCloser.Tests.Report;

/// <summary>Messages for failed operations, with their remedies.</summary>
public sealed class RemediesTests
{
    /// <summary>Errnos that have a remedy, and one that has none (EIO).</summary>
    private static readonly int[] s_errnos =
    [
        Errno.EPERM, Errno.ENOENT, Errno.ESRCH, Errno.EIO, Errno.ENXIO, Errno.EACCES, Errno.EBUSY, Errno.EEXIST, Errno.ENOTDIR, Errno.EISDIR, Errno.EINVAL,
        Errno.ENOSPC, Errno.EROFS, Errno.ENOSYS, Errno.EPROTONOSUPPORT, Errno.EOPNOTSUPP, Errno.EAFNOSUPPORT, Errno.EDQUOT,
    ];

    private static readonly int[] s_capabilities =
    [
        Capability.CAP_DAC_READ_SEARCH, Capability.CAP_KILL, Capability.CAP_NET_ADMIN, Capability.CAP_SYS_PTRACE, Capability.CAP_SYS_ADMIN,
    ];

    /// <summary>With the capability, the cause must be another one: root and other users have a snapshot each.</summary>
    [Fact]
    public void Describe_EachOperationAndErrno_MatchesSnapshot()
    {
        int effective = s_capabilities.Count(Capability.IsEffective);
        bool isRoot = Unistd.geteuid() == 0;
        Assert.SkipUnless(effective == (isRoot ? s_capabilities.Length : 0), "this user has some of the capabilities");
        var text = new StringBuilder();
        foreach (Operation operation in Enum.GetValues<Operation>())
        {
            string unknown = Remedies.Describe(new Failure(operation, Errno.EIO, "IT"));
            text.Append(unknown).Append('\n');
            foreach (int errno in s_errnos)
            {
                string line = Remedies.Describe(new Failure(operation, errno, "IT"));
                if (Advice(line) != Advice(unknown))
                {
                    text.Append(Remedies.IsNotPossible(new Failure(operation, errno)) ? "  not possible: " : "  ").Append(line[line.IndexOf("IT: E", StringComparison.Ordinal)..][4..]).Append('\n');
                }
            }
        }

        Snap.Match(text.ToString(), isRoot ? "root" : "user");
    }

    [Theory]
    [Rows("EMFILE | the limit of open descriptors is too low: raise ulimit -n",
        "ENFILE | the system has no descriptors left: raise fs.file-max", "ENOMEM | the system is short of memory: try again")]
    public void Describe_LackOfResources_HasOneRemedy(int errno, string advice) => Assert.All(Enum.GetValues<Operation>(), operation =>
    {
        Assert.EndsWith("); " + advice, Remedies.Describe(new Failure(operation, errno)), StringComparison.Ordinal);
        Assert.False(Remedies.IsNotPossible(new Failure(operation, errno)));
    });

    [Fact]
    public void Describe_NoSubject_NamesOnlyTheOperation() =>
        Assert.Equal("writing to stdout: EIO (input/output error)", Remedies.Describe(new Failure(Operation.WriteOutput, Errno.EIO)));

    private static string Advice(string line) => line[(line.IndexOf(')', line.IndexOf("IT: E", StringComparison.Ordinal)) + 1)..];
}
