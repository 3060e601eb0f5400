using System.Text;

namespace TcpCloser.Tests.Support;

/// <summary>A folder of a test's own, removed with all that is in it.</summary>
internal sealed class TemporaryFolder : IDisposable
{
    public string Path { get; } = Directory.CreateTempSubdirectory("tcp-closer-test-").FullName;

    /// <summary>A path below it, as the system calls take it.</summary>
    public byte[] BytesOf(string name) => [.. Encoding.UTF8.GetBytes(System.IO.Path.Combine(Path, name)), 0];

    public void Dispose() => Directory.Delete(Path, recursive: true);
}
