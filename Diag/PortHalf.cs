namespace TcpCloser.Diag;

/// <summary>Half of a long list of ports, for a dump of its own: the kernel's walk takes the longer the longer its filter is.</summary>
/// <param name="ports">The ports of this half.</param>
/// <param name="isSource">Whether they are source ports.</param>
internal sealed class PortHalf(PortSet ports, bool isSource)
{
    /// <summary>Below this many ranges the second walk and its thread cost more than the halves save.</summary>
    private const int WorthTwo = 2_000;

    public PortSet? SourcePorts => isSource ? ports : null;

    public PortSet? DestinationPorts => isSource ? null : ports;

    /// <summary>
    /// The halves of the longer list; a single null where neither is long, or where the kernel's filter has no room for a half
    /// either. With other conditions it stays whole: they would leave less room, and not every kernel knows marks and cgroups.
    /// </summary>
    public static PortHalf?[] Split(Selection selection)
    {
        int sources = selection.SourcePorts?.Ranges.Length ?? 0;
        int destinations = selection.DestinationPorts?.Ranges.Length ?? 0;
        int longer = Math.Max(sources, destinations);
        bool fits = (longer + 1) / 2 + Math.Min(sources, destinations) <= FilterCompiler.MaxTerms;
        if (longer < WorthTwo || !fits || !selection.IsOfPortsAlone || Environment.ProcessorCount == 1)
        {
            return [null];
        }

        bool isSource = sources >= destinations;
        (PortSet lower, PortSet upper) = (isSource ? selection.SourcePorts! : selection.DestinationPorts!).Halves();
        return [new PortHalf(lower, isSource), new PortHalf(upper, isSource)];
    }

    public bool Contains(ref readonly Connection connection) =>
        ports.Contains(isSource ? connection.SourcePort : connection.DestinationPort);
}
