namespace TcpCloser.Kill;

/// <summary>A descriptor of a process that is a wanted socket.</summary>
internal readonly record struct HeldSocket(int Fd, uint Inode);
