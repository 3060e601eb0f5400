namespace TcpCloser.KernelTests;

/// <summary>
/// The Lab creates what it is asked for and reports what it sees, which every other test relies on; checked with iproute2's
/// ss.
/// </summary>
public sealed class LabTests
{
    [Theory]
    [Values("own-table", "first-ended")]
    public void Holder_SocketsInAnotherThread_OnlyThatThreadsDirectoryShowsThem(string thread)
    {
        using var lab = LabProcess.Start("--count", "3", "--client-process", "--thread", thread);
        int pid = Assert.Single(lab.Processes("server"));
        HashSet<string> sockets = [.. lab.Sockets().Where(socket => socket.LocalPort == LabProcess.Port).Select(socket => $"socket:[{socket.Inode}]")];

        Assert.Equal(0, CountLinks($"/proc/{pid}/fd"));
        Assert.Contains(Directory.GetDirectories($"/proc/{pid}/task"), task => CountLinks($"{task}/fd") == 3);
        lab.ExpectState("server alive=3");

        int CountLinks(string directory)
            => Directory.GetFileSystemEntries(directory).Count(entry => new FileInfo(entry).LinkTarget is { } target && sockets.Contains(target));
    }

    [Fact]
    public void Hold_OwnerOfSharedSocketsIsKilled_SharersKeepThemOpen()
    {
        using var lab = LabProcess.Start(new LabEnvironment { OwnProcesses = true }, "--count", "2", "--sharers", "2", "--client-process");
        int server = Assert.Single(lab.Processes("server"));
        Assert.Equal(2, lab.Processes("sharer").Length);
        Command.Run([.. lab.Inside(), "kill", "-s", "KILL", $"{server}"]);
        Until.True(() => lab.State()["processes", "dead"] == 1, "the death");
        lab.ExpectState("server gone=2, client alive=2");
    }
}
