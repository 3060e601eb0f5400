namespace TcpCloser.Matrix;

/// <summary>The published native binaries that run.sh names, copied to where every user may execute them.</summary>
internal sealed class CopiedBinaries : IDisposable
{
    private const UnixFileMode ForEveryone = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute
        | UnixFileMode.GroupRead | UnixFileMode.GroupExecute | UnixFileMode.OtherRead | UnixFileMode.OtherExecute;

    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("tcp-closer-matrix-");

    internal CopiedBinaries()
    {
        File.SetUnixFileMode(_directory.FullName, ForEveryone);
        Tool = Copy("TCP_CLOSER_BINARY", "tcp-closer");
        Lab = Copy("TCP_CLOSER_LAB", "tcp-closer-lab");
        NamespaceFile = Path.Combine(_directory.FullName, "netns");
        File.WriteAllText(NamespaceFile, "");
        MountPoint = _directory.CreateSubdirectory("mount").FullName;
    }

    internal string Tool { get; }
    internal string Lab { get; }
    /// <summary>An empty directory over which each row may mount something, in its own mount namespace.</summary>
    internal string MountPoint { get; }
    /// <summary>An empty file over which each row may mount its second network namespace.</summary>
    internal string NamespaceFile { get; }

    /// <summary>The path of a new file that every user may read.</summary>
    internal string NewFile() => Path.Combine(_directory.FullName, Guid.NewGuid().ToString("n"));

    public void Dispose() => _directory.Delete(recursive: true);

    private string Copy(string variable, string name)
    {
        string from = Environment.GetEnvironmentVariable(variable) ?? throw new InvalidOperationException($"{variable} is not set: use run.sh");
        string to = Path.Combine(_directory.FullName, name);
        File.Copy(from, to);
        File.SetUnixFileMode(to, ForEveryone);
        return to;
    }
}
