namespace TcpCloser.KernelTests.Harness;

/// <summary>A folder for one test's files; gone with it.</summary>
internal sealed class TemporaryFolder : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("tcp-closer-test-");

    internal string Path => _folder.FullName;

    internal string File(string name) => System.IO.Path.Combine(_folder.FullName, name);

    public void Dispose() => _folder.Delete(recursive: true);
}
