using System.Globalization;

namespace TcpCloser.KernelTests.Harness.Reach;

/// <summary>
/// Network namespaces with a Lab in each, named in a private /run/netns. All are in one pid and one mount namespace, in which the
/// tool also runs, so that <c>--all-netns</c> finds them and nothing of the machine.
/// </summary>
internal sealed class NamespaceFarm : IDisposable
{
    private readonly List<LabProcess> _labs = [];

    private NamespaceFarm(LabProcess home) => Home = home;

    /// <summary>The namespace in which the tool runs, without a name and without connections.</summary>
    internal LabProcess Home { get; }

    internal IReadOnlyList<LabProcess> Labs => _labs;

    /// <summary>Starts that many, named ns0, ns1 and so on.</summary>
    internal static NamespaceFarm Start(int count, params string[] options)
    {
        LabEnvironment home = new() { OwnProcesses = true, Preparation = "mount -t tmpfs none /run\nmkdir -p /run/netns /run/docker/netns" };
        NamespaceFarm farm = new(LabProcess.Start(home, "--count", "0", "--port", "4999"));
        try
        {
            for (int i = 0; i < count; i++)
            {
                farm.Add($"netns/ns{i.ToString(CultureInfo.InvariantCulture)}", options);
            }

            return farm;
        }
        catch
        {
            farm.Dispose();
            throw;
        }
    }

    /// <summary>Adds a namespace, named by a file below /run; the name may have any bytes, in the syntax of the shell's printf.</summary>
    internal LabProcess Add(string name, params string[] options)
    {
        // The Lab's processes are its children, so the shell that names the namespace has to be in it already.
        string enter = $"""
            set -- unshare -n sh -ec 'file=/run/$(printf "{name}"); touch "$file"; mount --bind /proc/self/ns/net "$file"; exec "$@"' sh "$@"
            """;
        var lab = LabProcess.Start(new LabEnvironment { Enter = Home.Inside(), OwnProcesses = true, Preparation = enter }, options);
        _labs.Add(lab);
        return lab;
    }

    /// <summary>Ends a Lab; its namespace remains, held only by its name.</summary>
    internal void End(LabProcess lab)
    {
        _labs.Remove(lab);
        lab.Dispose();
    }

    /// <summary>The Lab's process id in the tool's pid namespace.</summary>
    internal static int InnerId(LabProcess lab)
    {
        string line = File.ReadLines($"/proc/{lab.Id}/status").First(line => line.StartsWith("NSpid:", StringComparison.Ordinal));
        return int.Parse(line.AsSpan(line.LastIndexOf('\t') + 1), CultureInfo.InvariantCulture);
    }

    /// <summary>The id of a process's first child, in the pid namespace of the tests.</summary>
    internal static int FirstChild(int pid)
        => int.Parse(File.ReadAllText($"/proc/{pid}/task/{pid}/children").Split(' ')[0], CultureInfo.InvariantCulture);

    public void Dispose()
    {
        foreach (var lab in _labs)
        {
            lab.Dispose();
        }

        Home.Dispose();
    }
}
