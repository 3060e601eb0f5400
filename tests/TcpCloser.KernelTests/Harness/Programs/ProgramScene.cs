namespace TcpCloser.KernelTests.Harness.Programs;

/// <summary>
/// Every installed server, in one namespace, each with 20 quiet living clients and ten that vanish: five whose address is removed,
/// and five whose packets are dropped.
/// </summary>
internal sealed class ProgramScene : IDisposable
{
    internal const int Living = 20;
    internal const int Vanishing = 5;
    internal const string LivingAddress = "10.9.0.2";
    internal const string RemovedAddress = "10.9.0.3";
    internal const string DroppedAddress = "10.9.0.4";
    /// <summary>Longer than the time within which received data makes a probe unnecessary.</summary>
    private const int QuietMs = 1_200;
    private readonly ServerHome _home = new();
    private readonly ClientHome _clients;
    private readonly List<(ServerProgram Program, ProgramClients Living)> _programs = [];
    private readonly List<ProgramClients> _vanishing = [];
    private readonly Dictionary<string, string> _failures = [];

    internal ProgramScene(params ServerProgram[] programs)
    {
        _clients = new ClientHome(_home, number: 0, LivingAddress, RemovedAddress, DroppedAddress);
        foreach (ServerProgram program in programs)
        {
            Attempt(program, () => Add(program));
        }
    }

    internal void RemoveAddress() => _clients.LoseAddress(RemovedAddress);
    internal void DropPackets() => _clients.Drop(DroppedAddress);

    /// <summary>Probes all of them in a dry run and in a real run; then each living client sends a request to its server.</summary>
    internal ProgramRun Probe(string time)
    {
        _programs.ForEach(added => _home.Lab.WaitQuiet(added.Program.Port, QuietMs));
        string[] arguments = ["-s", string.Join(',', _programs.Select(static added => added.Program.Port)), "--probe", time, "--include-own-session", "--json"];
        Result dry = _home.Lab.Tool(["-n", .. arguments]);
        Result real = _home.Lab.Tool(arguments);
        _programs.ForEach(added => Attempt(added.Program, added.Living.Ask));
        return new ProgramRun(dry, real, new Dictionary<string, string>(_failures));
    }

    public void Dispose()
    {
        _programs.ForEach(static added => added.Living.Dispose());
        _vanishing.ForEach(static clients => clients.Dispose());
        _clients.Dispose();
        _home.Dispose();
    }

    private void Add(ServerProgram program)
    {
        program.StartIn(_home);
        var living = new ProgramClients(_clients, program, LivingAddress, Living);
        _programs.Add((program, living));
        ProgramClients[] vanishing = [.. ((string[])[RemovedAddress, DroppedAddress]).Select(address => new ProgramClients(_clients, program, address, Vanishing))];
        _vanishing.AddRange(vanishing);
        living.Ask();
        Array.ForEach(vanishing, static clients => clients.Ask());
    }

    /// <summary>Records the failure of one program without affecting the others.</summary>
    private void Attempt(ServerProgram program, Action step)
    {
        try
        {
            step();
        }
        catch (Exception failure)
        {
            _failures.TryAdd(program.Name, failure.ToString());
        }
    }
}
