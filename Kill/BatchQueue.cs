namespace TcpCloser.Kill;

/// <summary>Batches that threads take one after the other, while one of them waits for each in turn.</summary>
internal sealed class BatchQueue(int count)
{
    private readonly bool[] _done = new bool[count];
    private int _taken = -1;

    /// <summary>Takes the next one; false where none is left.</summary>
    public bool TryTake(out int batch)
    {
        batch = Interlocked.Increment(ref _taken);
        return batch < count;
    }

    public void Finish(int batch)
    {
        lock (_done)
        {
            _done[batch] = true;
            Monitor.PulseAll(_done);
        }
    }

    public bool IsDone(int batch)
    {
        lock (_done)
        {
            return _done[batch];
        }
    }

    /// <summary>Waits until it is done.</summary>
    public void Await(int batch)
    {
        lock (_done)
        {
            while (!_done[batch])
            {
                Monitor.Wait(_done);
            }
        }
    }
}
