namespace TcpCloser.Fuzz;

/// <summary>A part of the program that gets damaged input, and the checks of its results.</summary>
internal interface ITarget
{
    string Name { get; }

    /// <summary>Generates one input and passes it to the program. Every exception is a finding.</summary>
    /// <returns>Whether the program accepted the input: if it refused all, nothing would be tested.</returns>
    bool Try(Dice dice);
}
