using System.Diagnostics;

namespace TcpCloser.Faults;

/// <summary>The Lab with its connections standing; it ends with this object.</summary>
internal sealed class Lab : IDisposable
{
    private readonly Process _process;

    private Lab(Process process) => _process = process;

    /// <summary>Starts it in this network namespace, or by a command in front of it in another.</summary>
    internal static Lab Start(IEnumerable<string> wrapper, IEnumerable<string> options)
    {
        string[] command = [.. wrapper, Binaries.Lab, "hold", .. options];
        ProcessStartInfo start = new(command[0], command[1..]) { RedirectStandardInput = true, RedirectStandardOutput = true };
        Lab lab = new(Process.Start(start)!);
        lab.ReadUntil("READY");
        return lab;
    }

    internal List<string> Ask(string command)
    {
        _process.StandardInput.Write(command + "\n");
        _process.StandardInput.Flush();
        return ReadUntil(".");
    }

    public void Dispose()
    {
        _process.StandardInput.Close();
        _process.WaitForExit();
        _process.Dispose();
    }

    private List<string> ReadUntil(string mark)
    {
        List<string> lines = [];
        while (_process.StandardOutput.ReadLine() is { } line)
        {
            if (line == mark)
            {
                return lines;
            }

            lines.Add(line);
        }

        throw new InvalidOperationException($"the Lab ended before it said '{mark}'");
    }
}
