using System.Globalization;
using System.Runtime.Versioning;
using System.Text;
using TcpCloser.Interop;
using TcpCloser.Kill;

namespace TcpCloser.Tests.Kill;

/// <summary>A process whose files cannot be read, for want of a descriptor say, may be one that is never signalled.</summary>
[SupportedOSPlatform("linux")]
public sealed class ProcessGuardTests : IDisposable
{
    private const int Pid = 1_000_000_001; // larger than any

    private readonly string _folder = Directory.CreateTempSubdirectory("tcp-closer-test-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    /// <summary>A folder in the file's place: it can be opened and not read.</summary>
    [Theory]
    [InlineData("status")]
    [InlineData("stat")]
    public void WhatCannotBeLookedAtIsProtected(string unreadable)
    {
        Directory.CreateDirectory(Path.Combine(_folder, $"{Pid}", unreadable));
        Assert.Equal("a process that cannot be looked at now", Protection(Pid));
    }

    [Fact]
    public void NobodyIsSignalledByOneThatDoesNotKnowItsOwnAncestors()
    {
        Directory.CreateDirectory(Path.Combine(_folder, Environment.ProcessId.ToString(CultureInfo.InvariantCulture), "stat"));
        Assert.Equal("a process that cannot be looked at now", Protection(Pid));
    }

    [Fact]
    public void WhatIsGoneNeedsNoProtection() => Assert.Null(Protection(Pid));

    private string? Protection(int pid)
    {
        int proc = ProcFile.OpenDirectory(Fcntl.AT_FDCWD, Encoding.UTF8.GetBytes(_folder + '\0'));
        try
        {
            return new ProcessGuard(proc).Protection(pid);
        }
        finally
        {
            _ = Unistd.close(proc);
        }
    }
}
