using System.Text;
using TcpCloser.Interop;
using TcpCloser.Report;
using TcpCloser.Tests.Support;

namespace TcpCloser.Tests.Report;

/// <summary>What an operation that failed says, and what to do about it.</summary>
public sealed class RemediesTests
{
    /// <summary>Those that a remedy is known for, and one that speaks for itself.</summary>
    private static readonly int[] s_errnos =
    [
        Errno.EPERM, Errno.ENOENT, Errno.ESRCH, Errno.EIO, Errno.ENXIO, Errno.EACCES, Errno.EBUSY, Errno.ENOTDIR, Errno.EISDIR, Errno.EINVAL,
        Errno.ENOSPC, Errno.EROFS, Errno.ENOSYS, Errno.EPROTONOSUPPORT, Errno.EOPNOTSUPP, Errno.EAFNOSUPPORT, Errno.EDQUOT,
    ];

    private static readonly int[] s_capabilities =
    [
        Capability.CAP_DAC_READ_SEARCH, Capability.CAP_KILL, Capability.CAP_NET_ADMIN, Capability.CAP_SYS_PTRACE, Capability.CAP_SYS_ADMIN,
    ];

    /// <summary>Where the capability that is missing is there, it is something else: so there is a snapshot for root, and one for a user.</summary>
    [Fact]
    public void OfEachOperationAndErrno()
    {
        int effective = s_capabilities.Count(Capability.IsEffective);
        bool isRoot = Unistd.geteuid() == 0;
        Assert.SkipUnless(effective == (isRoot ? s_capabilities.Length : 0), "this user has some of the capabilities");
        var text = new StringBuilder();
        foreach (Operation operation in Enum.GetValues<Operation>())
        {
            string unknown = Remedies.Describe(operation, Errno.EIO, "IT");
            text.Append(unknown).Append('\n');
            foreach (int errno in s_errnos)
            {
                string line = Remedies.Describe(operation, errno, "IT");
                if (Advice(line) != Advice(unknown))
                {
                    text.Append(Remedies.IsNotPossible(operation, errno) ? "  not possible: " : "  ").Append(line[line.IndexOf("IT: E", StringComparison.Ordinal)..][4..]).Append('\n');
                }
            }
        }

        Snap.Match(text.ToString(), isRoot ? "root" : "user");
    }

    [Theory]
    [InlineData(Errno.EMFILE, "too few descriptors are allowed: raise ulimit -n")]
    [InlineData(Errno.ENFILE, "the system has no descriptors left: raise fs.file-max")]
    [InlineData(Errno.ENOMEM, "the system is short of memory: try again")]
    public void WhateverTheOperationIs(int errno, string advice) => Assert.All(Enum.GetValues<Operation>(), operation =>
    {
        Assert.EndsWith("); " + advice, Remedies.Describe(operation, errno), StringComparison.Ordinal);
        Assert.False(Remedies.IsNotPossible(operation, errno));
    });

    [Fact]
    public void WithoutASubject() => Assert.Equal("writing to stdout: EIO (input/output error)", Remedies.Describe(Operation.WriteOutput, Errno.EIO));

    private static string Advice(string line) => line[(line.IndexOf(')', line.IndexOf("IT: E", StringComparison.Ordinal)) + 1)..];
}
