using System.Text;

namespace TcpCloser.Tests.Proc;

/// <summary>Files and directories that are read by system calls.</summary>
public sealed class ProcFileTests : IDisposable
{
    private readonly TemporaryDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    /// <summary>/proc reports no sizes, so a file is read until its end.</summary>
    [Theory]
    [Values(0, 1, 2_047, 2_048, 2_049, 100_000)]
    public void Read_FileOfAnyLength_IsComplete(int length)
    {
        byte[] written = [.. Enumerable.Range(0, length).Select(static i => (byte)(i % 251))];
        File.WriteAllBytes(Path.Combine(_directory.Path, "file"), written);
        Assert.Equal(0, ProcFile.Read(Fcntl.AT_FDCWD, _directory.BytesOf("file"), out byte[] content));
        Assert.Equal(written, content);
        Assert.Equal(written, ProcFile.Read(Fcntl.AT_FDCWD, _directory.BytesOf("file")));
    }

    [Theory]
    [Rows("missing | ENOENT", ". | EISDIR")]
    public void Read_FileCannotBeRead_IsEmptyWithTheErrno(string name, int errno)
    {
        Assert.Equal(errno, ProcFile.Read(Fcntl.AT_FDCWD, _directory.BytesOf(name), out byte[] content));
        Assert.Empty(content);
        Assert.Empty(ProcFile.Read(Fcntl.AT_FDCWD, _directory.BytesOf(name)));
    }

    /// <summary>There are more entries than one call returns, and some are not numbers, or only begin like one.</summary>
    [Fact]
    public void ReadNumbers_ManyEntries_ReturnsTheNumbersAmongThem()
    {
        const int Many = 3_000;
        IEnumerable<string> names = Enumerable.Range(0, Many).Select(static number => $"{number}");
        foreach (string name in names.Concat(["self", "12x", "net", "-5"]))
        {
            File.Create(Path.Combine(_directory.Path, name)).Dispose();
        }

        Assert.Equal(0, ProcFile.OpenDirectory(Fcntl.AT_FDCWD, _directory.BytesOf(""), out int directory));
        Assert.InRange(directory, 3, int.MaxValue);
        List<int> numbers = [7, 8, 9];
        Assert.Equal(0, ProcFile.ReadNumbers(directory, numbers));
        Assert.Equal(Enumerable.Range(0, Many), numbers.Order());
        Assert.Equal(0, Unistd.close(directory));
        Assert.Equal(Errno.EBADF, ProcFile.ReadNumbers(directory, numbers));
    }

    [Fact]
    public void OpenDirectory_NotADirectory_Fails()
    {
        File.Create(Path.Combine(_directory.Path, "file")).Dispose();
        Assert.Equal((Errno.ENOTDIR, -1), (ProcFile.OpenDirectory(Fcntl.AT_FDCWD, _directory.BytesOf("file"), out int directory), directory));
        Assert.Equal((Errno.ENOENT, -1), (ProcFile.OpenDirectory(Fcntl.AT_FDCWD, _directory.BytesOf("missing"), out directory), directory));
    }

    /// <summary>A link is cut if the buffer is too short for it.</summary>
    [Fact]
    public void ReadLink_LinkOrNot_ReturnsTheTargetOrTheErrno()
    {
        File.CreateSymbolicLink(Path.Combine(_directory.Path, "link"), "socket:[4242]");
        Span<byte> target = stackalloc byte[32];
        Assert.Equal(0, ProcFile.ReadLink(Fcntl.AT_FDCWD, _directory.BytesOf("link"), target, out int length));
        Assert.Equal("socket:[4242]", Encoding.ASCII.GetString(target[..length]));
        Assert.Equal((0, 6), (ProcFile.ReadLink(Fcntl.AT_FDCWD, _directory.BytesOf("link"), target[..6], out length), length));
        Assert.Equal((Errno.ENOENT, 0), (ProcFile.ReadLink(Fcntl.AT_FDCWD, _directory.BytesOf("missing"), target, out length), length));
        Assert.Equal(Errno.EINVAL, ProcFile.ReadLink(Fcntl.AT_FDCWD, _directory.BytesOf(""), target, out _));
    }

    [Fact]
    public void Comm_ProcessExistsOrNot_IsItsNameOrEmpty()
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
