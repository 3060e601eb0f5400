using System.Runtime.Versioning;
using System.Text;
using TcpCloser.Interop;
using TcpCloser.Kill;
using TcpCloser.Tests.Support;

namespace TcpCloser.Tests.Kill;

/// <summary>The pass over /proc, on a folder that looks like it, with one thread and with two.</summary>
[SupportedOSPlatform("linux")]
public sealed class SocketOwnersTests : IDisposable
{
    private const int Few = 10;
    private const int Many = 300;
    private const int FirstPid = 1_000_000_000; // larger than any
    private const int Ended = FirstPid - 1;
    private const uint Counted = 7;

    private readonly string _folder = Directory.CreateTempSubdirectory("tcp-closer-test-").FullName;
    private readonly Meeting _meeting = new();

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [InlineData(Few)]
    [InlineData(Many)]
    public void EveryHolderIsFoundInTheOrderOfProc(int processes)
    {
        SocketOwners owners = Look(processes, out List<int> pids);

        IEnumerable<int> holders = pids.Where(static pid => !IsUnreadable(pid) && !HasNoSockets(pid));
        Assert.Equal(holders, owners.Holders.Select(static holder => holder.Pid));
        Assert.All(owners.Holders, static holder =>
        {
            Assert.Equal([(3, Wanted(holder.Pid))], holder.Sockets.Select(static socket => (socket.Fd, socket.Inode)));
            Assert.Equal(1, holder.OtherConnections);
        });
    }

    [Theory]
    [InlineData(Few)]
    [InlineData(Many)]
    public void ThoseThatMayNotBeLookedIntoAreCounted(int processes)
    {
        SocketOwners owners = Look(processes, out List<int> pids);

        Assert.Equal(pids.Count(IsUnreadable), owners.Unreadable);
        Assert.EndsWith("could not be looked at: ENOTDIR (not a directory)", owners.WhyUnreadable, StringComparison.Ordinal);
    }

    [Fact]
    public void AShortPassStartsNoThread()
    {
        Look(Few, out _);

        Assert.False(_meeting.TookPlace);
    }

    [Fact]
    public void AFailureOfTheSecondThreadReachesTheCaller()
    {
        if (Environment.ProcessorCount > 1) // else there is no second thread
        {
            _meeting.Failure = new InvalidOperationException();

            Assert.Same(_meeting.Failure, Assert.Throws<InvalidOperationException>(() => Look(Many, out _)));
        }
    }

    private static bool IsUnreadable(int pid) => pid % 7 == 0;

    private static bool HasNoSockets(int pid) => pid % 3 == 0;

    /// <summary>The inode of one of the connections that <see cref="Look"/> asks for, another for each process.</summary>
    private static uint Wanted(int pid) => 100_000 + (uint)(pid - FirstPid);

    /// <summary>Makes the folder and looks for the owners; where two threads do, not without something found by each.</summary>
    private SocketOwners Look(int processes, out List<int> pids)
    {
        for (int pid = FirstPid; pid < FirstPid + processes; pid++)
        {
            string directory = Directory.CreateDirectory(Path.Combine(_folder, $"{pid}")).FullName;
            string descriptors = Path.Combine(directory, "fd");
            if (IsUnreadable(pid))
            {
                File.WriteAllText(descriptors, "no directory");
                continue;
            }

            Directory.CreateDirectory(descriptors);
            File.CreateSymbolicLink(Path.Combine(descriptors, "3"), HasNoSockets(pid) ? "/dev/null" : $"socket:[{Wanted(pid)}]");
            File.CreateSymbolicLink(Path.Combine(descriptors, "4"), HasNoSockets(pid) ? "/dev/null" : $"socket:[{Counted}]");
        }

        Directory.CreateDirectory(Path.Combine(_folder, $"{Ended}"));
        int proc = Open();
        pids = ProcFile.Numbers(proc);
        _ = Unistd.close(proc);
        Assert.Equal(processes + 1, pids.Count);
        pids.Remove(Ended);
        var wanted = new InodeIndex(Connections.Many(Many));
        var counted = new HashSet<uint>(_meeting) { Counted };
        _meeting.IsAwaited = processes == Many && Environment.ProcessorCount > 1;
        proc = Open();
        try
        {
            return new SocketOwners(proc, wanted, counted);
        }
        finally
        {
            _ = Unistd.close(proc);
        }
    }

    private int Open() => ProcFile.OpenDirectory(Fcntl.AT_FDCWD, Encoding.UTF8.GetBytes(_folder + '\0'));

    /// <summary>Compares inodes as ever, but the thread that made it waits until another has compared, too.</summary>
    private sealed class Meeting : IEqualityComparer<uint>
    {
        private readonly int _caller = Environment.CurrentManagedThreadId;
        private volatile bool _tookPlace;

        public bool IsAwaited { get; set; }

        public bool TookPlace => _tookPlace;

        /// <summary>What becomes of the other thread.</summary>
        public Exception? Failure { get; set; }

        public bool Equals(uint x, uint y) => x == y;

        public int GetHashCode(uint obj)
        {
            if (Environment.CurrentManagedThreadId == _caller)
            {
                Assert.True(!IsAwaited || SpinWait.SpinUntil(() => _tookPlace, TimeSpan.FromSeconds(30)), "there is no second thread");
            }
            else
            {
                _tookPlace = true;
                _ = Failure is null ? 0 : throw Failure;
            }

            return (int)obj;
        }
    }
}
