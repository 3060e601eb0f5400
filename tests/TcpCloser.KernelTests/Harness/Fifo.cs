namespace TcpCloser.KernelTests.Harness;

/// <summary>A FIFO whose reader reads only when the test drains it.</summary>
internal sealed class Fifo : IDisposable
{
    private readonly FileStream _end;

    internal Fifo(TemporaryDirectory directory)
    {
        Path = directory.File("fifo");
        Command.Run("mkfifo", Path).Expect(0);
        _end = new FileStream(Path, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite, bufferSize: 0);
    }

    internal string Path { get; }

    /// <summary>Leaves room for one page of a fresh FIFO (pipe(7): 16 of 4 KiB), so that its next writer soon stalls.</summary>
    internal void FillExceptOnePage() => _end.Write(new byte[15 * 4096]);

    /// <summary>Reads everything that the FIFO contains now.</summary>
    internal string Drain() => Command.Run("dd", $"if={Path}", "iflag=nonblock", "bs=64k", "status=none").Stdout;

    public void Dispose() => _end.Dispose();
}
