using Xunit;

namespace TcpCloser.KernelTests.Harness.Reach;

/// <summary>OpenSSH's sshd on loopback in a namespace of its own, and root's key to it.</summary>
internal sealed class SshServer : IDisposable
{
    internal const int Port = 2222;

    /// <summary>The client's command line up to the command to run there.</summary>
    private const string Client = "ssh -F none -i /mnt/key -p 2222 -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o BatchMode=yes -o LogLevel=ERROR root@127.0.0.1";

    private SshServer(ServerHome home) => Home = home;

    internal ServerHome Home { get; }

    /// <summary>Starts it; skips the test where it cannot be had.</summary>
    internal static SshServer Start()
    {
        Namespaces.Require();
        string? program = ServerHome.Find("sshd");
        Assert.SkipWhen(program is null || ServerHome.Find("ssh") is null, "openssh-server or openssh-client is not installed");
        Assert.SkipWhen(Namespaces.NeedUserNamespace, "sshd needs a second user, whom a user namespace does not have");
        SshServer server = new(new ServerHome());
        try
        {
            // Its own account database, in which root is not locked; the machine's is only covered, inside the namespace.
            server.Home.Run($"""
                set -e
                mkdir -m 755 /run/sshd
                ssh-keygen -q -t ed25519 -N '' -f /mnt/key
                ssh-keygen -q -t ed25519 -N '' -f /mnt/host
                cp /mnt/key.pub /mnt/authorized
                printf 'root:x:0:0::/mnt:/bin/sh\nsshd:x:74:65534::/run/sshd:/bin/false\n' >/mnt/passwd
                printf 'root:*:19000:0:99999:7:::\nsshd:*:19000:0:99999:7:::\n' >/mnt/shadow
                mount --bind /mnt/passwd /etc/passwd
                mount --bind /mnt/shadow /etc/shadow
                printf '%s\n' 'Port {Port}' 'ListenAddress 127.0.0.1' 'HostKey /mnt/host' 'AuthorizedKeysFile /mnt/authorized' 'UsePAM no' \
                    'StrictModes no' 'PermitRootLogin yes' 'PidFile none' >/mnt/config
                """).Expect(0);
            server.Home.Start($"exec {program} -D -e -f /mnt/config");
            server.Home.AwaitListener(Port);
            return server;
        }
        catch
        {
            server.Dispose();
            throw;
        }
    }

    /// <summary>A session that runs a command and ends with it.</summary>
    internal Result Run(string command) => Home.Run($"{Client} '{command}' </dev/null");

    /// <summary>A session that stays: it echoes lines.</summary>
    internal Command StartIdleSession()
    {
        int before = Home.Connections(Port);
        var session = Home.Start($"exec {Client} cat");
        session.WriteLine("logged in");
        Until.True(() => session.Stdout.Contains("logged in", StringComparison.Ordinal), "the session; " + session.Stderr);
        Assert.Equal(before + 1, Home.Connections(Port));
        return session;
    }

    /// <summary>A session with a terminal, in which a command runs.</summary>
    internal Command StartTerminal(string command)
        => Home.Start($"TERM=xterm exec {Client.Replace("ssh ", "ssh -tt ", StringComparison.Ordinal)} \"$0\"", command);

    public void Dispose() => Home.Dispose();
}
