namespace TcpCloser.Lab.Holding;

/// <summary>The ends that a process holds; one poll(2) covers all of them.</summary>
internal sealed unsafe class EndTable
{
    private readonly List<End> _ends = [];
    private readonly List<int> _held = [];

    internal IReadOnlyList<End> Ends => _ends;
    internal bool AnyBusy => _ends.Exists(end => end.Busy);
    internal void Add(End end) => _ends.Add(end);

    /// <summary>Keeps a descriptor without ever looking at it, as a sharer does: looking would take the error from the owner.</summary>
    internal void Hold(int fd) => _held.Add(fd);

    internal void Look()
    {
        var entries = (PollFd*)NativeMemory.Alloc((nuint)_ends.Count + 1, (nuint)sizeof(PollFd));
        for (int i = 0; i < _ends.Count; i++)
        {
            entries[i] = new PollFd { Fd = _ends[i].Fd, Events = Posix.POLLIN | Posix.POLLRDHUP };
        }

        _ = Libc.Poll(entries, (nuint)_ends.Count, 0);
        for (int i = 0; i < _ends.Count; i++)
        {
            if (_ends[i].Fd >= 0 && (entries[i].Revents != 0 || _ends[i].Role == "listener"))
            {
                _ends[i].Look(entries[i].Revents);
            }
        }
        NativeMemory.Free(entries);
    }

    /// <summary>Counts the ends by role and view: lines of <c>role view number</c>.</summary>
    internal IEnumerable<string> Count()
    {
        Look();
        return Counted(_ends, static end => $"{end.Role} {end.View}");
    }

    internal IEnumerable<string> List()
    {
        Look();
        return _ends.Select(static end => end.Describe());
    }

    /// <summary>The number of ends of a role, and of those that ended since they were handed over: <c>10 3</c>.</summary>
    internal string CountEnded(string role)
    {
        Look();
        List<End> held = OfRole(role);
        return $"{held.Count} {held.Count(static end => end.HasEnded)}";
    }

    /// <summary>Writes a byte on every end that is open; lines of <c>role result number</c>.</summary>
    internal IEnumerable<string> Send()
    {
        List<End> open = _ends.FindAll(static end => end.Fd >= 0 && end.Role != "listener");
        open.ForEach(static end => end.Send());
        return Counted(open, static end => $"{end.Role} {end.Sent}");
    }

    /// <summary>Lets every busy end read what has arrived, and send a byte if it is a talker.</summary>
    internal void Exchange(string talker)
        => _ends.FindAll(static end => end.Busy).ForEach(end => end.Exchange(isTalker: talker == "both" || talker == end.Role));

    internal void StopBusy() => _ends.ForEach(static end => end.Busy = false);

    /// <summary>
    /// Makes the descriptor of one end refer to the socket of another, as if a program had closed the one and got its number for
    /// the other.
    /// </summary>
    internal void Reuse(string role, int from, int to) =>
        Errno.Check(Libc.Dup3(Find(role, from).Fd, Find(role, to).Fd, Posix.O_CLOEXEC), "dup3");

    internal End Find(string role, int index)
        => _ends.Find(end => end.Role == role && end.Index == index) ?? throw new LabException($"there is no {role} {index}");

    internal List<End> OfRole(string role) => _ends.FindAll(end => end.Role == role);
    internal void Close(string role) => OfRole(role).ForEach(static end => end.Close());

    private static IEnumerable<string> Counted(IEnumerable<End> ends, Func<End, string> describe)
        => ends.CountBy(describe).Select(static count => $"{count.Key} {count.Value}");
}
