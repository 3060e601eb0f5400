namespace TcpCloser.Lab.Paths;

/// <summary>
/// An application that works on its sockets: it sets their keepalive options again and again, and sometimes closes one and opens
/// another connection, which gets the same descriptor. It counts every option that lost its value.
/// </summary>
/// <param name="next">The connections that replace closed ones.</param>
internal sealed unsafe class BusyOwner(List<ShellSocket> sockets, SocketPlan next)
{
    /// <summary>One of that many sockets is replaced.</summary>
    private const int ReplacedShare = 4;
    private readonly string?[] _set = new string?[sockets.Count];
    private readonly HashSet<int> _replaced = [];
    private int _turns;
    private int _wrong;

    /// <summary>Works for that long; reports how often it set the options, how many were wrong, and how many sockets it replaced.</summary>
    internal string[] Run(int milliseconds)
    {
        int last = sockets.Count / ReplacedShare;
        long start = Stopwatch.GetTimestamp();
        double elapsed;
        while ((elapsed = Stopwatch.GetElapsedTime(start).TotalMilliseconds) < milliseconds)
        {
            // Spread over the time, so that the sockets are replaced before, between and during the probes.
            int due = (int)(last * elapsed / milliseconds);
            while (_replaced.Count < due)
            {
                Replace(_replaced.Count * ReplacedShare);
            }

            for (int i = 0; i < sockets.Count; i++)
            {
                Check(i);
                Set(i);
            }

            _ = Libc.Poll(null, 0, 1);
        }

        for (int i = 0; i < sockets.Count; i++)
        {
            Check(i);
        }

        return [$"turns={_turns} wrong={_wrong} replaced={_replaced.Count} probed={_replaced.Count(IsProbed)}"];
    }

    private void Check(int i) => _wrong += _set[i] is { } options && sockets[i].Options() != options ? 1 : 0;

    private void Set(int i)
    {
        int turn = _turns++;
        ShellSocket socket = sockets[i];
        socket.Set(Posix.SOL_TCP, Posix.TCP_KEEPIDLE, 30 + (turn % 1_000));
        socket.Set(Posix.SOL_TCP, Posix.TCP_KEEPINTVL, 10 + (turn % 7));
        socket.Set(Posix.SOL_TCP, Posix.TCP_KEEPCNT, 1 + (turn % 9));
        socket.Set(Posix.SOL_TCP, Posix.TCP_USER_TIMEOUT, 60_000 + (turn % 1_000));
        socket.Set(Posix.SOL_SOCKET, Posix.SO_KEEPALIVE, turn % 2);
        _set[i] = socket.Options();
    }

    private void Replace(int i)
    {
        int fd = sockets[i].Fd;
        sockets[i].Close();
        sockets[i].Open(next);
        _wrong += sockets[i].Fd == fd ? 0 : 1;
        _set[i] = null;
        _ = _replaced.Add(i);
    }

    /// <summary>
    /// Whether a connection that was not selected was probed: it sent more than the SYN and the acknowledgement that opened
    /// it.
    /// </summary>
    private bool IsProbed(int i) => !sockets[i].Info().Contains(" segs-out=2 ");
}
