using System.Runtime.InteropServices;
using TcpCloser.Interop;
using TcpCloser.Rules;

namespace TcpCloser.Diag;

/// <summary>Looks up one connection again, right before or after an irreversible step. A lookup takes 4 microseconds.</summary>
internal sealed class SocketLookup(NetworkNamespace network) : IDisposable
{
    private readonly NetlinkExchange _exchange = new(network.OpenSocket(), new byte[4096]);

    /// <summary>Finds the connection by its cookie.</summary>
    /// <param name="connection">The connection as the dump listed it.</param>
    /// <param name="now">The connection as it is now, without an outcome; valid if it still exists.</param>
    /// <param name="facts">What the kernel reports about it; valid until the next call.</param>
    /// <returns>Whether it still exists.</returns>
    /// <exception cref="SystemCallException">The kernel did not answer, or its answer was another error or another socket.</exception>
    public bool TryFind(ref readonly Connection connection, out Connection now, out SocketFacts facts)
    {
        now = default;
        facts = default;
        int errno = _exchange.Send(DumpRequest.BuildLookup(in connection, _exchange.Begin(1)));
        errno = errno == 0 ? _exchange.Next(wait: true) : errno;
        if (errno == 0 && _exchange.Header.Type == SockDiag.SOCK_DIAG_BY_FAMILY
            && SocketDump.TryRead(_exchange.Payload, out ReadOnlySpan<byte> attributes))
        {
            ref readonly InetDiagMsg message = ref MemoryMarshal.AsRef<InetDiagMsg>(_exchange.Payload);
            now = Connection.From(in message);
            facts = new SocketFacts(in message, new SocketAttributes(attributes).Info);
            if (now.Cookie == connection.Cookie)
            {
                return true;
            }
        }
        else if (errno == 0 && _exchange.Header.Type == Netlink.NLMSG_ERROR)
        {
            errno = _exchange.Error();
            if (errno == Errno.ENOENT)
            {
                return false;
            }
        }

        throw new SystemCallException(new Failure(Operation.LookUpSocket, errno != 0 ? errno : Errno.EBADMSG));
    }

    public void Dispose() => _exchange.Dispose();
}
