using TcpCloser.Diag;

namespace TcpCloser.Kill;

/// <summary>Hears what a closer does.</summary>
internal interface IWitness
{
    /// <summary>The outcome of these connections is final.</summary>
    void Settled(ConnectionList connections, int start, int end);

    /// <summary>A process was signalled.</summary>
    void Signalled(SocketHolder process, int signal);

    /// <summary>Something that is true of the run, not of one connection, and explains why connections stay.</summary>
    /// <param name="why">What is missing and what to do about it.</param>
    /// <param name="hopeless">Whether it is not possible here at all: no privilege, or the kernel lacks what is needed.</param>
    void Hindered(string why, bool hopeless);
}
