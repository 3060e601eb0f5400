namespace TcpCloser.KernelTests.Harness;

/// <summary>A FIFO that has a reader who reads only when he is told to.</summary>
internal sealed class Fifo : IDisposable
{
    private readonly FileStream _end;

    internal Fifo(TemporaryFolder folder)
    {
        Path = folder.File("fifo");
        Command.Run("mkfifo", Path).Expect(0);
        _end = new FileStream(Path, FileMode.Open, FileAccess.ReadWrite);
    }

    internal string Path { get; }

    /// <summary>Takes all that is in it now.</summary>
    internal string Drain() => Command.Run("dd", $"if={Path}", "iflag=nonblock", "bs=64k", "status=none").Stdout;

    public void Dispose() => _end.Dispose();
}
