namespace TcpCloser.Proc;

/// <summary>A network namespace that was found, by its open file.</summary>
/// <param name="name">What it is called: a name below /run/netns, a path, <c>pid:N</c>. Bytes of anything.</param>
/// <param name="descriptor">Its descriptor; whoever takes the file closes it.</param>
internal readonly struct NamespaceFile(byte[] name, int descriptor)
{
    public byte[] Name { get; } = name;

    public int Descriptor { get; } = descriptor;
}
