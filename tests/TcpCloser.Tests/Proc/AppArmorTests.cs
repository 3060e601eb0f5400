using System.Text;

namespace TcpCloser.Tests.Proc;

/// <summary>The profile that confines the process, as the kernel writes it into /proc/thread-self/attr.</summary>
public sealed class AppArmorTests
{
    [Theory]
    [InlineData("system_u:system_r:container_t:s0:c1,c2\0", null)] // SELinux
    [Rows("docker-default (enforce)\n | docker-default", "cri-containerd.apparmor.d (enforce)\n | cri-containerd.apparmor.d",
        "a (enforce) b (enforce)\n | a (enforce) b", "a\nb (enforce)\n | a\\x0Ab", "docker-default (complain)\n | null",
        "unconfined\n | null", " | null")]
    public void ProfileOf_Label_IsTheProfileThatRefuses(string label, string? profile) =>
        Assert.Equal(profile, AppArmor.ProfileOf(Encoding.UTF8.GetBytes(label)));
}
