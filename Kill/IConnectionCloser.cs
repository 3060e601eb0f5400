using TcpCloser.Diag;

namespace TcpCloser.Kill;

/// <summary>One way to end connections.</summary>
internal interface IConnectionCloser
{
    /// <summary>Ends the connections and sets the <see cref="Connection.Outcome"/> of each.</summary>
    /// <param name="doomed">All idle; each is told to <paramref name="witness"/> once, in order.</param>
    /// <param name="witness">Hears what became of them.</param>
    /// <param name="stopRequested">Asked between batches: whether to finish what is under way and leave the rest.</param>
    void Close(ConnectionList doomed, IWitness witness, Func<bool> stopRequested);
}
