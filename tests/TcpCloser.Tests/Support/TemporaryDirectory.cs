using System.Text;

namespace TcpCloser.Tests.Support;

/// <summary>A temporary directory for one test, removed with its contents.</summary>
internal sealed class TemporaryDirectory : IDisposable
{
    public string Path { get; } = Directory.CreateTempSubdirectory("tcp-closer-test-").FullName;

    /// <summary>The path of an entry, as system calls expect it: UTF-8, terminated by a null byte.</summary>
    public byte[] BytesOf(string name) => [.. Encoding.UTF8.GetBytes(System.IO.Path.Combine(Path, name)), 0];
    public void Dispose() => Directory.Delete(Path, recursive: true);
}
