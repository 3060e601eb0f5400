namespace TcpCloser.Fuzz;

/// <summary>A part of the program that is given damaged input, and what has to hold of what it makes of it.</summary>
internal interface ITarget
{
    string Name { get; }

    /// <summary>Makes one input and gives it to the program. Whatever is thrown is a finding.</summary>
    /// <returns>Whether the program took it: if it refused all, nothing would be tested.</returns>
    bool Try(Dice dice);
}
