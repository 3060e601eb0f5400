using TcpCloser.Kill;

namespace TcpCloser.Report;

/// <summary>Which processes a kill would signal, as text.</summary>
internal static class ForecastText
{
    /// <summary><c> sshd[123] (4 other connections)</c>; <c> ?</c> where the owner can't be known without privilege.</summary>
    public static void AddForecast(this TextBuffer text, KillForecast forecast, int connection)
    {
        IReadOnlyList<SocketHolder> holders = forecast.Holders(connection);
        if (holders.Count == 0)
        {
            text.Add(forecast.Unreadable > 0 ? " ?"u8 : " (no process holds it)"u8);
        }

        foreach (SocketHolder holder in holders)
        {
            text.Add(" "u8).AddForeign(holder.Comm).Add("["u8).Add((ulong)holder.Pid).Add("]"u8);
            if (holder.Protection is not null)
            {
                text.Add(" (never signalled: "u8).Add(holder.Protection).Add(")"u8);
            }
            else
            {
                text.Add(" ("u8).Add((ulong)holder.OtherConnections).Add(" other connections)"u8);
            }
        }
    }
}
