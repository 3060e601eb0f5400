using TcpCloser.Diag;
using TcpCloser.Kill;
using TcpCloser.Proc;

namespace TcpCloser.Report;

/// <summary>The processes that a kill would signal, as text.</summary>
internal static class HolderText
{
    /// <summary><c> sshd[123] (4 other connections)</c>; <c> ?</c> where the owner can't be known without privilege.</summary>
    public static void AddHolders(this TextBuffer text, KillForecast forecast, ConnectionList candidates, int index)
    {
        IReadOnlyList<SocketHolder> holders = forecast.Holders(index);
        Outcome? reason = OwnerRule.Reason(in candidates[index], holders);
        if (holders.Count == 0)
        {
            text.Add(forecast.Unreadable.Count > 0 ? " ?"u8 : " (no process holds it)"u8);
        }

        foreach (SocketHolder holder in holders)
        {
            text.Add(" "u8).AddUntrusted(holder.Comm).Add("["u8).Add((ulong)holder.Pid).Add("]"u8);
            if (holder.Protection is not null)
            {
                text.Add(" (never signalled: "u8).Add(holder.Protection).Add(")"u8);
            }
            else if (reason is null)
            {
                text.Add(" ("u8).Add((ulong)holder.OtherConnections).Add(" other connections)"u8);
            }
            else
            {
                text.Add(reason == Outcome.OwnerOther ? " (left alone: of another user than the socket's)"u8 : " (left alone: not its only holder)"u8);
            }
        }
    }
}
