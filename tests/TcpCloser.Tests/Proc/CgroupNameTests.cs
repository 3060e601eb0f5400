using System.Text;

namespace TcpCloser.Tests.Proc;

/// <summary>What a cgroup is, by its path. The paths follow the naming of systemd, Docker, Podman, containerd, CRI-O, the kubelet and LXC.</summary>
public sealed class CgroupNameTests
{
    private const string Id = "3f2a9c1b7d4e5f60718293a4b5c6d7e8f90a1b2c3d4e5f60718293a4b5c6d7e8";
    private const string OtherId = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
    private const string Uid = "8f1c2d3e-4a5b-6c7d-8e9f-0a1b2c3d4e5f";
    private const string SystemdUid = "8f1c2d3e_4a5b_6c7d_8e9f_0a1b2c3d4e5f";
    private const string StaticUid = "d41d8cd98f00b204e9800998ecf8427e";

    [Theory]
    [Rows("/ | ", "/init.scope | init.scope", "/system.slice | system.slice", "/system.slice/nginx.service | nginx.service",
        "/system.slice/ssh.socket | ssh.socket", "/system.slice/system-getty.slice/getty@tty1.service | getty@tty1.service",
        "/system.slice/system-postgresql.slice/postgresql@15-main.service | postgresql@15-main.service",
        @"/system.slice/dev-disk-by\x2duuid-1234.swap | dev-disk-by\x2duuid-1234.swap", "/system.slice/_memory.service | memory.service",
        "/user.slice/user-1000.slice/session-3.scope | session-3.scope", "/user.slice/user-1000.slice/user@1000.service | user@1000.service",
        "/user.slice/user-1000.slice/user@1000.service/app.slice/foo.service | foo.service",
        "/user.slice/user-1000.slice/user@1000.service/app.slice | user@1000.service", "/user.slice/user-1000.slice | user-1000.slice",
        "/system.slice/delegated.service/worker/7 | delegated.service", "/machine.slice/machine-web.scope | machine-web.scope",
        "/machine.slice/machine-web.scope/payload/system.slice/nginx.service | nginx.service",
        $"/machine.slice/libpod-conmon-{Id}.scope | libpod-conmon-{Id}.scope", "/openrc.nginx | ")]
    public void Name_OfSystemd_IsTheInnermostUnit(string path, string unit) => AssertName(path, unit: unit);

    [Theory]
    [Values($"/system.slice/docker-{Id}.scope", $"/docker/{Id}", $"/machine.slice/libpod-{Id}.scope",
        $"/machine.slice/libpod-{Id}.scope/container", $"/libpod_parent/libpod-{Id}",
        $"/machine.slice/machine-libpod_pod_{OtherId}.slice/libpod-{Id}.scope/container",
        $"/user.slice/user-1000.slice/user@1000.service/user.slice/libpod-{Id}.scope/container",
        $"/system.slice/nerdctl-{Id}.scope", $"/default/{Id}", $"/docker/{OtherId}/docker/{Id}", $"/ecs/5b0c/{Id}")]
    public void Name_OfContainer_IsItsShortId(string path) => AssertName(path, container: Id[..12]);

    [Fact]
    public void Name_OfLxcContainer_IsItsName() => AssertName("/lxc.payload.web/init", container: "web");

    /// <summary>A unit in a container, and a container in a unit (Quadlet, <c>--cgroups=split</c>): both names say something.</summary>
    [Theory]
    [InlineData("/system.slice/docker-" + Id + ".scope/system.slice/nginx.service", "nginx.service")]
    [InlineData("/system.slice/web.service/libpod-payload-" + Id, "web.service")]
    public void Name_OfContainerWithUnit_HasBoth(string path, string unit) => AssertName(path, unit: unit, container: Id[..12]);

    [Theory]
    [InlineData("/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod" + SystemdUid + ".slice/cri-containerd-" + Id + ".scope", "default/web-0")]
    [InlineData("/kubepods.slice/kubepods-pod" + SystemdUid + ".slice/crio-" + Id + ".scope", "default/web-0")]
    [InlineData("/kubepods.slice/kubepods-pod" + SystemdUid + ".slice/crio-" + Id + ".scope/container", "default/web-0")]
    [InlineData("/kubepods/besteffort/pod" + Uid + "/" + Id, "default/web-0")]
    [InlineData("/kubepods/pod" + StaticUid + "/" + Id, "kube-system/etcd-node1")]
    [InlineData("/kubepods.slice/kubepods-besteffort.slice/kubepods-besteffort-pod" + StaticUid + ".slice/docker-" + Id + ".scope", "kube-system/etcd-node1")]
    [InlineData("/kubelet/kubepods/burstable/pod" + Uid + "/" + Id, "default/web-0")]
    [InlineData("/system.slice/docker-" + OtherId + ".scope/kubelet.slice/kubelet-kubepods.slice/kubelet-kubepods-pod" + SystemdUid + ".slice/cri-containerd-" + Id + ".scope", "default/web-0")]
    [InlineData("/kubepods/burstable/podaaaaaaaa-aaaa-aaaa-aaaa-aaaaaaaaaaaa/" + Id, "aaaaaaaa-aaaa-aaaa-aaaa-aaaaaaaaaaaa")]
    public void Name_OfPod_HasPodAndContainer(string path, string pod) => AssertName(path, container: Id[..12], pod: pod);

    [Fact]
    public void Name_OfPodWithoutContainer_HasThePod() => AssertName("/kubepods/pod" + Uid, pod: "default/web-0");

    /// <summary>Names that only resemble those of pods and containers.</summary>
    [Theory]
    [InlineData("/pod" + Uid, "")]
    [InlineData("/system.slice/tripod.service", "tripod.service")]
    [InlineData("/kubepods.slice/kubepods-podgroup.slice", "kubepods-podgroup.slice")]
    [InlineData("/system.slice/run-r0123456789abcdef0123456789abcdef.scope", "run-r0123456789abcdef0123456789abcdef.scope")]
    [InlineData("/" + Id + "0", "")]
    public void Name_OfSomethingSimilar_IsNeither(string path, string unit) => AssertName(path, unit: unit);

    [Theory]
    [Rows($"{Id} | {Id}", "3f2a9c1b7d4e | 3f2a9c1b7d4e", "docker-3f2a9c1b7d4e.scope | 3f2a9c1b7d4e", "3f2a9c1b7d4 | ", "3F2A9C1B7D4E | ",
        "nginx.service | ", "3f2a9c1b7d4e.scope | ")]
    public void ContainerOf_ShortForms_AreIdsOf12Digits(string name, string id) =>
        Assert.Equal(id, Encoding.UTF8.GetString(CgroupName.ContainerOf(Encoding.UTF8.GetBytes(name), CgroupName.ShownDigits)));

    private static void AssertName(string path, string unit = "", string container = "", string pod = "")
    {
        CgroupName name = CgroupName.Of(Encoding.UTF8.GetBytes(path), static uid => Encoding.UTF8.GetString(uid) switch
        {
            Uid => "default/web-0"u8.ToArray(),
            StaticUid => "kube-system/etcd-node1"u8.ToArray(),
            _ => null,
        });
        Assert.True(name.IsKnown);
        Assert.Equal((path, unit, container, pod), (Text(name.Path), Text(name.Unit), Text(name.Container), Text(name.Pod)));
        Assert.Equal(pod.Length > 0 ? pod : container.Length > 0 ? container : unit, Text(name.Shown));
    }

    private static string Text(byte[] bytes) => Encoding.UTF8.GetString(bytes);
}
