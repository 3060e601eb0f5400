using TcpCloser.Proc;

namespace TcpCloser.Kill;

/// <summary>What is done with a socket that was fetched from its owner.</summary>
/// <param name="table">What does it.</param>
/// <param name="socket">The handle of the socket.</param>
internal delegate ActionResult SocketAction(IProcessTable table, int socket);
