using System.Text;
using TcpCloser.Cli;

namespace TcpCloser.Fuzz;

/// <summary>/etc/passwd and /etc/services.</summary>
internal sealed class SystemFiles : ITarget
{
    private static readonly byte[] s_passwd =
        "root:x:0:0:root:/root:/bin/sh\nwww-data:x:33:33::/:\nbig:x:4294967294:1\nnone:x:4294967295:1\nshort:x\n\n+::::\n"u8.ToArray();

    private static readonly byte[] s_services =
        "# services\ntcpmux\t1/tcp\t# port\ndomain 53/udp\ndomain\t53/tcp\nhttp\t80/tcp\twww www-http # web\r\nbig 65536/tcp\nlast 65535/tcp\n"u8.ToArray();

    private static readonly string[] s_users = ["root", "www-data", "big", "none", "short", "", "x"];
    private static readonly string[] s_names = ["tcpmux", "domain", "http", "www", "www-http", "big", "last", "", "#"];

    public string Name => "passwd, services";

    public bool Try(Dice dice)
    {
        var mutator = new Mutator(dice);
        string passwd = Encoding.UTF8.GetString(mutator.Damage(s_passwd, s_services));
        uint? uid = PasswdFile.UidOf(passwd, dice.Pick(s_users));
        Check.That(uid != uint.MaxValue, "the uid that stands for none");
        Check.That(uid is null || passwd.Contains($"{uid}:") || passwd.Contains($"{uid}\n")
            || passwd.EndsWith($"{uid}", StringComparison.Ordinal), $"uid {uid} is not in the file");

        string services = Encoding.UTF8.GetString(mutator.Damage(s_services, s_passwd));
        string name = dice.Pick(s_names);
        ushort port = new ServicesFile(services, 0).PortOf(name);
        Check.That(port == 0 || (services.Contains($"{port}/tcp") && services.Contains(name)),
            $"port {port} of '{name}' is not in the file");
        return uid is not null || port != 0;
    }
}
