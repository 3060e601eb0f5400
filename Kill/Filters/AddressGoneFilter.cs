using TcpCloser.Diag;

namespace TcpCloser.Kill;

/// <summary>
/// Skips connections whose local address still exists in their network namespace. The others can neither send nor receive until their
/// address returns.
/// </summary>
internal sealed class AddressGoneFilter : IStep
{
    public Stage Stage => Stage.AddressGone;

    public void Run(ConnectionList candidates, RoundContext round)
    {
        var results = new ResultBatch(round.Report);
        bool isWarned = false;
        foreach ((NetworkNamespace network, int start, int end) in candidates.Parts)
        {
            LocalAddresses addresses = LocalAddresses.Read(network);
            for (int i = start; i < end; i++)
            {
                ref Connection connection = ref candidates[i];
                if (addresses.TakesEverything(in connection) && !isWarned)
                {
                    isWarned = true;
                    round.Report.Notice("a local route accepts every address (as for a transparent proxy), so no address is gone");
                }

                if (addresses.HasSourceOf(in connection))
                {
                    results.Add(i, Outcome.AddressPresent);
                }
            }
        }

        results.Flush();
    }
}
