namespace TcpCloser.Lab.Making;

/// <summary>Both ends of one connection while the Lab still has them; a descriptor is -1 if there is no such end.</summary>
internal sealed class Pair(int index)
{
    internal int Index => index;
    internal int Server { get; set; } = -1;
    internal int Client { get; set; } = -1;
    internal Endpoint ServerAddress { get; set; }
    internal Endpoint ClientAddress { get; set; }

    internal void CloseServer()
    {
        _ = Libc.Close(Server);
        Server = -1;
    }

    internal void CloseClient()
    {
        _ = Libc.Close(Client);
        Client = -1;
    }
}
