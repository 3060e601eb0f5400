namespace TcpCloser.Kill;

/// <summary>One thing that this kernel and these privileges allow or do not allow.</summary>
/// <param name="Name">What it is called.</param>
/// <param name="Possible">Whether it is possible here.</param>
/// <param name="Why">Where it is not: the reason and the remedy.</param>
internal sealed record Ability(string Name, bool Possible, string Why = "");
