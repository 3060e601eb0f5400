namespace TcpCloser.Proc;

/// <summary>A process that holds sockets, as /proc names it.</summary>
internal sealed class SocketHolder
{
    /// <param name="pid">Its id in the pid namespace of /proc.</param>
    public SocketHolder(int pid)
    {
        Pid = pid;
        Alone = [this];
    }

    public int Pid { get; }

    /// <summary>A list of this process alone.</summary>
    public SocketHolder[] Alone { get; }

    /// <summary>Its name (/proc/PID/comm), up to 15 bytes of anything.</summary>
    public byte[] Comm { get; init; } = [];

    /// <summary>Its effective user id; null: it could not be read.</summary>
    public uint? EffectiveUid { get; init; }

    /// <summary>The wanted sockets it holds.</summary>
    public List<HeldSocket> Sockets { get; } = [];

    /// <summary>How many connections it holds besides, of those that <see cref="SocketOwners"/> was asked to count; null: of none.</summary>
    public int? OtherConnections { get; set; }

    /// <summary>Whether it may hold more than that: not all of its descriptors could be looked at.</summary>
    public bool IsPartlyKnown { get; set; }

    /// <summary>Why it is never signalled; null: it may be.</summary>
    public string? Protection { get; init; }
}
