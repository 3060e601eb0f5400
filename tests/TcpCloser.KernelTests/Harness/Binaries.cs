using System.Runtime.InteropServices;

namespace TcpCloser.KernelTests.Harness;

/// <summary>The published native binaries under test: from the environment, or where <c>dotnet publish</c> puts them.</summary>
internal static class Binaries
{
    internal static string Tool => Find("TCP_CLOSER_BINARY", "TcpCloser", "", "tcp-closer");
    internal static string ToolWithoutSockDestroy => Find("TCP_CLOSER_NO_SOCK_DESTROY_BINARY", "TcpCloser", "_no_sock_destroy", "tcp-closer");
    internal static string Lab => Find("TCP_CLOSER_LAB", "TcpCloser.Lab", "", "tcp-closer-lab");

    private static string Find(string variable, string project, string variant, string name)
    {
        string? path = Environment.GetEnvironmentVariable(variable);
        if (string.IsNullOrEmpty(path))
        {
            path = Path.Combine(RepositoryRoot(), "artifacts", "publish", project, $"release_{RuntimeInformation.RuntimeIdentifier}{variant}", name);
        }

        return File.Exists(path)
            ? path
            : throw new FileNotFoundException($"{path} is missing: publish it first, or set {variable}");
    }

    private static string RepositoryRoot()
    {
        for (var directory = new DirectoryInfo(AppContext.BaseDirectory); directory is not null; directory = directory.Parent)
        {
            if (File.Exists(Path.Combine(directory.FullName, "TcpCloser.slnx")))
            {
                return directory.FullName;
            }
        }
        throw new DirectoryNotFoundException("no parent directory contains TcpCloser.slnx");
    }
}
