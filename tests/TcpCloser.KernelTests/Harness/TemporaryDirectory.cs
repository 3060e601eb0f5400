namespace TcpCloser.KernelTests.Harness;

/// <summary>A directory for the files of one test; deleted when disposed.</summary>
internal sealed class TemporaryDirectory : IDisposable
{
    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("tcp-closer-test-");

    internal string Path => _directory.FullName;
    internal string File(string name) => System.IO.Path.Combine(_directory.FullName, name);
    public void Dispose() => _directory.Delete(recursive: true);
}
