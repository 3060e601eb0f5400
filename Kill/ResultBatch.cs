using TcpCloser.Diag;

namespace TcpCloser.Kill;

/// <summary>Gathers results and hands them on a batch at a time, from one array that is used again and again.</summary>
internal sealed class ResultBatch(IResultSink sink)
{
    /// <summary>
    /// The longest batch: as many requests go into one send of SOCK_DESTROY, because the default receive buffer holds the refusals
    /// of no more.
    /// </summary>
    public const int Length = 256;

    private readonly Result[] _results = new Result[Length];
    private int _count;

    public void Add(int index, Outcome outcome, int errno = 0)
    {
        _results[_count++] = new Result(index, outcome, errno);
        if (_count == Length)
        {
            Flush();
        }
    }

    /// <summary>Hands on what there is. Nothing is taken back, and nothing is handed on twice.</summary>
    public void Flush()
    {
        int count = _count;
        _count = 0;
        if (count > 0)
        {
            sink.Completed(_results.AsSpan(0, count));
        }
    }
}
