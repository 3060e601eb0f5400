using System.Diagnostics;
using System.Reflection;

namespace TcpCloser.Tests.Support;

/// <summary>A directory with the version script, which tests can turn into a git repository.</summary>
internal sealed class VersionedSources : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("tcp-closer-test-").FullName;
    private int _commits;

    public VersionedSources() => AddScript("build");

    /// <summary>The output of the script in this directory or one below.</summary>
    public string Version(string below = ".") => Run("sh", Path.Combine(_directory, below, "build", "version.sh"));

    /// <summary>The same without the commit after the plus.</summary>
    public string VersionWithoutCommit()
    {
        string version = Version();
        int plus = version.IndexOf('+', StringComparison.Ordinal);
        return plus < 0 ? version : version[..plus];
    }

    /// <summary>Adds a copy of the script in a subdirectory, as in another project's repository.</summary>
    public void AddScript(string directory)
    {
        Directory.CreateDirectory(Path.Combine(_directory, directory));
        using Stream script = Assembly.GetExecutingAssembly().GetManifestResourceStream("version.sh")!;
        using FileStream file = File.Create(Path.Combine(_directory, directory, "version.sh"));
        script.CopyTo(file);
    }

    public void Write(string file, string text) => File.WriteAllText(Path.Combine(_directory, file), text);
    public void Change(string file) => File.AppendAllText(Path.Combine(_directory, file), "more\n");

    public void Commit()
    {
        Git("add", ".");
        // Commits with the same second, parent and message would be identical.
        Git("commit", "-q", "--allow-empty", "-m", $"change {++_commits}");
    }

    public string Git(params string[] arguments)
        => Run("git", ["-C", _directory, "-c", "user.name=Test", "-c", "user.email=test@localhost", "-c", "init.defaultBranch=main", .. arguments]);

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    private static string Run(string program, params string[] arguments)
    {
        ProcessStartInfo start = new(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true };
        // Ignore this machine's git configuration, and the repository whose git hook may run these tests.
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
