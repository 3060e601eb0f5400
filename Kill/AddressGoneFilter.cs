using TcpCloser.Diag;

namespace TcpCloser.Kill;

/// <summary>
/// Leaves those connections alone whose local address the network namespace has. The rest can neither send nor receive until
/// their address returns.
/// </summary>
internal sealed class AddressGoneFilter : ICandidateFilter
{
    public void Apply(ConnectionList candidates, IResultSink sink, Func<bool> stopRequested)
    {
        var results = new ResultBatch(sink);
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
                    sink.Notice("a local route takes every address (as a transparent proxy's does), so that no address is gone");
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
