using System.Text;

namespace TcpCloser.Tests.Support;

/// <summary>A process of a <see cref="FakeProcessTable"/>. What is not said is what an ordinary one has.</summary>
/// <param name="pid">Its id.</param>
internal sealed class FakeProcess(int pid)
{
    private const uint KernelThread = 0x00200000;

    public int Pid { get; } = pid;

    /// <summary>What it calls itself; bytes of anything.</summary>
    public byte[] Comm { get; init; } = "worker"u8.ToArray();

    public int Parent { get; init; }

    /// <summary>tty_nr.</summary>
    public int Terminal { get; init; }

    public uint Uid { get; init; } = 1000;

    public bool IsKernelThread { get; init; }

    /// <summary>Its ids from the pid namespace of /proc to its own.</summary>
    public int[] NamespacePids { get; init; } = [pid];

    public bool IsFiltered { get; init; }

    public string Environment { get; init; } = "";

    /// <summary>What its descriptors are, as /proc/PID/fd shows them.</summary>
    public SortedDictionary<int, string> Descriptors { get; init; } = [];

    /// <summary>The number of its network namespace.</summary>
    public ulong NetworkNamespace { get; init; } = 4026531840;

    /// <summary>The errno of every look into it that takes more than being somebody; 0: none.</summary>
    public int Refusal { get; init; }

    public bool IsAlive { get; set; } = true;

    /// <summary>Whether it lives on after a signal.</summary>
    public Func<int, bool> Survives { get; init; } = static _ => false;

    /// <summary>The signals that it got.</summary>
    public List<int> Signals { get; } = [];

    /// <summary>A file of /proc/PID; null: there is none of that name.</summary>
    public byte[]? File(string name) => name switch
    {
        "comm" => [.. Comm, (byte)'\n'],
        "stat" => [.. Encoding.ASCII.GetBytes($"{Pid} ("), .. Comm,
            .. Encoding.ASCII.GetBytes($") S {Parent} {Pid} {Pid} {Terminal} -1 {(IsKernelThread ? KernelThread | 0x40 : 0x400100)} 1 2 3 4\n")],
        "status" => [.. "Name:\t"u8, .. Comm, .. Encoding.ASCII.GetBytes(
            $"\nUmask:\t0022\nState:\tS (sleeping)\nPid:\t{Pid}\nUid:\t{Uid + 1}\t{Uid}\t{Uid + 2}\t{Uid + 3}\n" +
            $"NSpid:\t{string.Join('\t', NamespacePids)}\nSeccomp:\t{(IsFiltered ? 2 : 0)}\nThreads:\t1\n")],
        "environ" => Encoding.UTF8.GetBytes(Environment),
        _ => null,
    };
}
