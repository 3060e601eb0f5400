namespace TcpCloser.KernelTests.Harness.Reach;

/// <summary>OpenSSH's sshd in its own namespaces, and root's key to it.</summary>
internal sealed class SshServer : IDisposable
{
    internal const int Port = 2222;
    /// <summary>The client's command line up to the host.</summary>
    internal const string Ssh = "ssh -F none -i /mnt/key -p 2222 -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o BatchMode=yes -o LogLevel=ERROR";
    private const string Client = Ssh + " root@127.0.0.1";

    private SshServer(ServerHome home) => Home = home;

    internal ServerHome Home { get; }

    internal static SshServer Start() => new(ServerProgram.Sshd.StartIsolated());
    internal Result Run(string command) => Home.Run($"{Client} '{command}' </dev/null");

    /// <summary>Starts a session that stays open and echoes lines.</summary>
    internal Command StartIdleSession()
    {
        int before = Home.Connections(Port);
        var session = Home.Start($"exec {Client} cat");
        session.WriteLine("logged in");
        Until.True(() => session.Stdout.Contains("logged in"), "the session; " + session.Stderr);
        Assert.Equal(before + 1, Home.Connections(Port));
        return session;
    }

    /// <summary>Starts a session with a terminal, in which a command runs.</summary>
    internal Command StartTerminal(string command) => Home.Start($"TERM=xterm exec {Client.Replace("ssh ", "ssh -tt ")} \"$0\"", command);

    public void Dispose() => Home.Dispose();
}
