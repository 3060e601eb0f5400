namespace TcpCloser.Kill;

/// <summary>One thing that this kernel and these privileges allow or do not allow.</summary>
/// <param name="name">What it is called.</param>
/// <param name="possible">Whether it is possible here.</param>
/// <param name="why">Where it is not: the reason and the remedy.</param>
internal sealed class Ability(string name, bool possible, string why = "")
{
    public string Name { get; } = name;

    public bool Possible { get; } = possible;

    public string Why { get; } = why;
}
