using System.Runtime.InteropServices;
using TcpCloser.Lab.Interop;

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

    /// <summary>Looks at every end that has events.</summary>
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
            var end = _ends[i];
            if (end.Fd < 0 || (entries[i].Revents == 0 && end.Role != "listener"))
            {
                continue;
            }

            end.Look(entries[i].Revents);
        }
        NativeMemory.Free(entries);
    }

    /// <summary>Counts the ends by role and view: lines of <c>role view number</c>.</summary>
    internal IEnumerable<string> Count()
    {
        Look();
        Dictionary<(string Role, string View), int> counts = [];
        foreach (var end in _ends)
        {
            CollectionsMarshal.GetValueRefOrAddDefault(counts, (end.Role, end.View), out _)++;
        }

        foreach (var ((role, view), number) in counts)
        {
            yield return $"{role} {view} {number}";
        }
    }

    internal IEnumerable<string> List()
    {
        Look();
        foreach (var end in _ends)
        {
            yield return end.Describe();
        }
    }

    /// <summary>The number of ends of a role, and of those that ended since they were handed over: <c>10 3</c>.</summary>
    internal string CountEnded(string role)
    {
        Look();
        int held = 0, ended = 0;
        foreach (var end in _ends)
        {
            if (end.Role != role)
            {
                continue;
            }

            held++;
            if (end.HasEnded)
            {
                ended++;
            }
        }
        return $"{held} {ended}";
    }

    /// <summary>Writes a byte on every end that is open; lines of <c>role result number</c>.</summary>
    internal IEnumerable<string> Send()
    {
        Dictionary<(string Role, string Result), int> counts = [];
        foreach (var end in _ends)
        {
            if (end.Fd < 0 || end.Role == "listener")
            {
                continue;
            }

            end.Send();
            CollectionsMarshal.GetValueRefOrAddDefault(counts, (end.Role, end.Sent!), out _)++;
        }
        foreach (var ((role, result), number) in counts)
        {
            yield return $"{role} {result} {number}";
        }
    }

    /// <summary>Lets every busy end read what has arrived, and send a byte if it is a talker.</summary>
    internal void Exchange(string talker)
    {
        foreach (var end in _ends)
        {
            if (end.Busy)
            {
                end.Exchange(isTalker: talker == "both" || talker == end.Role);
            }
        }
    }

    internal void StopBusy()
    {
        foreach (var end in _ends)
        {
            end.Busy = false;
        }
    }

    /// <summary>
    /// Makes the descriptor of one end refer to the socket of another, as if a program had closed the one and got its number for
    /// the other.
    /// </summary>
    internal void Reuse(string role, int from, int to)
    {
        Errno.Check(Libc.Dup3(Find(role, from).Fd, Find(role, to).Fd, Posix.O_CLOEXEC), "dup3");
    }

    internal End Find(string role, int index)
        => _ends.Find(end => end.Role == role && end.Index == index) ?? throw new LabException($"there is no {role} {index}");

    internal void Close(string role)
    {
        foreach (var end in _ends)
        {
            if (end.Role == role)
            {
                end.Close();
            }
        }
    }
}
