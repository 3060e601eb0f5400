using System.Diagnostics;
using System.Reflection;

namespace TcpCloser.Tests.Support;

/// <summary>A folder with the version script in it, that may become a git repository.</summary>
internal sealed class VersionedSources : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("tcp-closer-test-").FullName;
    private int _commits;

    public VersionedSources()
    {
        PutScript("build");
    }

    /// <summary>What the script prints, from this folder or one below.</summary>
    public string Version(string below = ".") => Run("sh", Path.Combine(_folder, below, "build", "version.sh"));

    /// <summary>The same without what names the commit.</summary>
    public string VersionWithoutCommit()
    {
        string version = Version();
        int plus = version.IndexOf('+', StringComparison.Ordinal);
        return plus < 0 ? version : version[..plus];
    }

    /// <summary>The script also where it lies in another project's repository.</summary>
    public void PutScript(string folder)
    {
        Directory.CreateDirectory(Path.Combine(_folder, folder));
        using Stream script = Assembly.GetExecutingAssembly().GetManifestResourceStream("version.sh")!;
        using FileStream file = File.Create(Path.Combine(_folder, folder, "version.sh"));
        script.CopyTo(file);
    }

    public void Change(string file) => File.AppendAllText(Path.Combine(_folder, file), "more\n");

    public void Commit()
    {
        Git("add", ".");
        // Two of the same second, parent and message would be one and the same.
        Git("commit", "-q", "--allow-empty", "-m", $"change {++_commits}");
    }

    public string Git(params string[] arguments)
        => Run("git", ["-C", _folder, "-c", "user.name=Test", "-c", "user.email=test@localhost", "-c", "init.defaultBranch=main", .. arguments]);

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private static string Run(string program, params string[] arguments)
    {
        ProcessStartInfo start = new(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true };
        // Nothing of this machine's git, and not the repository that a git hook runs these tests for.
        foreach (string name in start.Environment.Keys.Where(name => name.StartsWith("GIT_", StringComparison.Ordinal)).ToArray())
        {
            start.Environment.Remove(name);
        }

        start.Environment["GIT_CONFIG_GLOBAL"] = start.Environment["GIT_CONFIG_SYSTEM"] = "/dev/null";
        using Process process = Start(start);
        string output = process.StandardOutput.ReadToEnd();
        string errors = process.StandardError.ReadToEnd();
        process.WaitForExit();
        Assert.True(process.ExitCode == 0 && errors.Length == 0, $"{program} {string.Join(' ', arguments)}: exit {process.ExitCode}\n{errors}");
        return output.TrimEnd('\n');
    }

    private static Process Start(ProcessStartInfo start)
    {
        try
        {
            return Process.Start(start)!;
        }
        catch (System.ComponentModel.Win32Exception)
        {
            Assert.Skip($"{start.FileName} is missing");
            throw;
        }
    }
}
