using System.Runtime.CompilerServices;

namespace TcpCloser.Tests.Build;

/// <summary>Examples in the documents are the installed files.</summary>
public sealed class DocumentTests
{
    /// <summary>tests/packaging runs the packaged line under a real cron, whose PATH does not have /usr/sbin.</summary>
    [Fact]
    public void Readme_CronLine_IsThePackagedOne()
    {
        string line = Assert.Single(File.ReadLines(Path.Combine(Root(), "packaging/cron/tcp-closer.cron")), static line => !line.StartsWith('#'));
        Assert.Contains($"`{line}`", File.ReadAllText(Path.Combine(Root(), "README.md")), StringComparison.Ordinal);
    }

    private static string Root([CallerFilePath] string path = "") => Path.Combine(Path.GetDirectoryName(path)!, "../../..");
}
