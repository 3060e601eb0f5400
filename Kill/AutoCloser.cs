using TcpCloser.Diag;

namespace TcpCloser.Kill;

/// <summary>One method, and another for what the first left idle.</summary>
internal sealed class AutoCloser(IConnectionCloser first, IConnectionCloser second) : IConnectionCloser
{
    public void Close(ConnectionList doomed, IWitness witness, Func<bool> stopRequested)
    {
        first.Close(doomed, witness, stopRequested);
        for (int i = 0; i < doomed.Count; i++)
        {
            if (doomed[i].Outcome == Outcome.Idle)
            {
                second.Close(doomed, witness, stopRequested);
                return;
            }
        }
    }
}
