namespace TcpCloser.Proc;

/// <summary>A descriptor of a process that is a wanted socket.</summary>
internal readonly struct HeldSocket(int fd, uint inode)
{
    public int Fd { get; } = fd;

    public uint Inode { get; } = inode;
}
