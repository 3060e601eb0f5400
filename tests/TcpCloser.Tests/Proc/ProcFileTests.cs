using System.Globalization;
using System.Text;
using TcpCloser.Interop;
using TcpCloser.Proc;
using TcpCloser.Tests.Support;

namespace TcpCloser.Tests.Proc;

/// <summary>Files and folders read by the system's own calls.</summary>
public sealed class ProcFileTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    /// <summary>/proc tells no size, so that a file is read until nothing more comes.</summary>
    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2_047)]
    [InlineData(2_048)]
    [InlineData(2_049)]
    [InlineData(100_000)]
    public void AFileIsReadWhole(int length)
    {
        byte[] written = [.. Enumerable.Range(0, length).Select(static i => (byte)(i % 251))];
        File.WriteAllBytes(Path.Combine(_folder.Path, "file"), written);
        Assert.Equal(0, ProcFile.Read(Fcntl.AT_FDCWD, _folder.BytesOf("file"), out byte[] content));
        Assert.Equal(written, content);
        Assert.Equal(written, ProcFile.Read(Fcntl.AT_FDCWD, _folder.BytesOf("file")));
    }

    [Theory]
    [InlineData("missing", Errno.ENOENT)]
    [InlineData(".", Errno.EISDIR)]
    public void WhatCannotBeReadIsEmptyAndSaysWhy(string name, int errno)
    {
        Assert.Equal(errno, ProcFile.Read(Fcntl.AT_FDCWD, _folder.BytesOf(name), out byte[] content));
        Assert.Empty(content);
        Assert.Empty(ProcFile.Read(Fcntl.AT_FDCWD, _folder.BytesOf(name)));
    }

    /// <summary>More entries than one call gives, and among them what is no number, or only begins like one.</summary>
    [Fact]
    public void TheNumbersInAFolder()
    {
        const int Many = 3_000;
        foreach (int number in Enumerable.Range(0, Many))
        {
            File.Create(Path.Combine(_folder.Path, number.ToString(CultureInfo.InvariantCulture))).Dispose();
        }

        foreach (string other in (string[])["self", "12x", "net", "-5"])
        {
            File.Create(Path.Combine(_folder.Path, other)).Dispose();
        }

        int directory = ProcFile.OpenDirectory(Fcntl.AT_FDCWD, _folder.BytesOf(""));
        Assert.InRange(directory, 3, int.MaxValue);
        List<int> numbers = [7, 8, 9];
        Assert.Equal(0, ProcFile.ReadNumbers(directory, numbers));
        Assert.Equal(Enumerable.Range(0, Many), numbers.Order());
        Assert.Equal(0, Unistd.close(directory));
        Assert.Equal(Errno.EBADF, ProcFile.ReadNumbers(directory, numbers));
    }

    [Fact]
    public void OnlyAFolderIsOpenedAsOne()
    {
        File.Create(Path.Combine(_folder.Path, "file")).Dispose();
        Assert.Equal(-Errno.ENOTDIR, ProcFile.OpenDirectory(Fcntl.AT_FDCWD, _folder.BytesOf("file")));
        Assert.Equal(-Errno.ENOENT, ProcFile.OpenDirectory(Fcntl.AT_FDCWD, _folder.BytesOf("missing")));
    }

    /// <summary>A link is cut where the target is too short for it.</summary>
    [Fact]
    public void ALink()
    {
        File.CreateSymbolicLink(Path.Combine(_folder.Path, "link"), "socket:[4242]");
        Span<byte> target = stackalloc byte[32];
        int length = ProcFile.ReadLink(Fcntl.AT_FDCWD, _folder.BytesOf("link"), target);
        Assert.Equal("socket:[4242]", Encoding.ASCII.GetString(target[..length]));
        Assert.Equal(6, ProcFile.ReadLink(Fcntl.AT_FDCWD, _folder.BytesOf("link"), target[..6]));
        Assert.Equal(-Errno.ENOENT, ProcFile.ReadLink(Fcntl.AT_FDCWD, _folder.BytesOf("missing"), target));
        Assert.Equal(-Errno.EINVAL, ProcFile.ReadLink(Fcntl.AT_FDCWD, _folder.BytesOf(""), target));
    }

    [Fact]
    public void TheNameOfAProcess()
    {
        var host = new FakeHost();
        host.Add(new FakeProcess(5) { Comm = "a\nb"u8.ToArray() });
        using IProcessTable table = host.OpenProcesses();
        Assert.Equal("a\nb"u8, ProcFile.Comm(table, 5));
        Assert.Equal(Errno.ENOENT, ProcFile.ReadComm(table, 6, out byte[] comm));
        Assert.Empty(comm);
        Assert.Empty(ProcFile.Comm(table, 6));
    }
}
