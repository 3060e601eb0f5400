using System.Runtime.InteropServices;

namespace TcpCloser.Fuzz;

/// <summary>Checks that a socket which the program accepted is one that the kernel sent.</summary>
internal static class GivenSocket
{
    public static void Check(ref readonly Connection connection, DamagedAnswers answers)
    {
        Fuzz.Check.That(connection.State is > 0 and <= Connection.HighestState, $"state {connection.State}");
        Fuzz.Check.That(connection.Family is (byte)Socket.AF_INET or (byte)Socket.AF_INET6, $"family {connection.Family}");
        Fuzz.Check.That(connection.Cookie != SockDiag.INET_DIAG_NOCOOKIE, "the cookie that stands for none");
        InetDiagSockId id = connection.Id;

        // struct inet_diag_msg: family, state, timer, retransmissions, id.
        ReadOnlySpan<byte> bytes = MemoryMarshal.AsBytes(new ReadOnlySpan<InetDiagSockId>(in id));
        foreach (byte[] datagram in answers.FromKernel)
        {
            for (int at = 4, next; at <= datagram.Length && (next = datagram.AsSpan(at).IndexOf(bytes)) >= 0; at += next + 1)
            {
                if (datagram[at + next - 4] == connection.Family && datagram[at + next - 3] == connection.State)
                {
                    return;
                }
            }
        }

        throw new InvalidOperationException("a socket that the kernel did not send");
    }
}
