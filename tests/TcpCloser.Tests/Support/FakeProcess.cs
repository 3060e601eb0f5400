using System.Text;

namespace TcpCloser.Tests.Support;

/// <summary>A process of a <see cref="FakeProcessTable"/>. The defaults are those of an ordinary process.</summary>
internal sealed class FakeProcess(int pid)
{
    private const uint KernelThread = 0x00200000;

    public int Pid { get; } = pid;
    public byte[] Comm { get; init; } = "worker"u8.ToArray(); // its name (comm): arbitrary bytes
    public int Parent { get; init; }
    public string Executable { get; init; } = $"/usr/bin/program-{pid}"; // the path of its program; by default, no other process runs it
    public int Terminal { get; init; } // tty_nr
    public uint Uid { get; init; } = 1000;
    public bool IsKernelThread { get; init; }
    public int[] NamespacePids { get; init; } = [pid]; // its ids, from the pid namespace of /proc to its innermost one
    public bool HasSeccompFilter { get; init; }
    public string Environment { get; init; } = "";
    public SortedDictionary<int, string> Descriptors { get; init; } = []; // its descriptors, as /proc/PID/fd shows them

    /// <summary>The descriptors of its other threads that have a table of their own, by thread id.</summary>
    public SortedDictionary<int, SortedDictionary<int, string>> Threads { get; init; } = [];

    /// <summary>The number of further threads that share the table of the first one; their ids follow its pid.</summary>
    public int SharingThreads { get; init; }
    public bool HasFirstThreadEnded { get; init; } // whether its first thread has ended: the table is then empty and belongs to root
    public ulong NetworkNamespace { get; init; } = 4026531840; // the inode number of its network namespace
    public int Refusal { get; init; } // the errno of each access that requires the same user or a capability; 0: none
    public bool IsAlive { get; set; } = true;
    public bool IsHidden { get; init; } // whether /proc does not show it (hidepid=)
    public Func<int, bool> Survives { get; init; } = static _ => false; // whether it survives the given signal
    public List<int> Signals { get; } = []; // the signals that it received

    /// <summary>Whether one of its threads has a descriptor with this link.</summary>
    public bool Has(string link) => Descriptors.ContainsValue(link) || Threads.Values.Any(table => table.ContainsValue(link));

    /// <summary>The descriptors of one of its threads; null: not its thread.</summary>
    public SortedDictionary<int, string>? DescriptorsOf(int thread) =>
        thread >= Pid && thread <= Pid + SharingThreads ? Descriptors : Threads.GetValueOrDefault(thread);

    /// <summary>A file of /proc/PID; null: there is no such file.</summary>
    public byte[]? File(string name) => name switch
    {
        "comm" => [.. Comm, (byte)'\n'],
        "stat" => [.. Encoding.ASCII.GetBytes($"{Pid} ("), .. Comm,
            .. Encoding.ASCII.GetBytes($") {(HasFirstThreadEnded ? 'Z' : 'S')} {Parent} {Pid} {Pid} {Terminal} -1 {(IsKernelThread ? KernelThread | 0x40 : 0x400100)} 1 2 3 4\n")],
        "status" => [.. "Name:\t"u8, .. Comm, .. Encoding.ASCII.GetBytes(
            $"\nUmask:\t0022\nState:\tS (sleeping)\nPid:\t{Pid}\nUid:\t{Uid + 1}\t{Uid}\t{Uid + 2}\t{Uid + 3}\n" +
            $"NSpid:\t{string.Join('\t', NamespacePids)}\nSeccomp:\t{(HasSeccompFilter ? 2 : 0)}\nThreads:\t{1 + SharingThreads + Threads.Count}\n")],
        "environ" => Encoding.UTF8.GetBytes(Environment),
        _ => null,
    };
}
