using System.Text;

namespace TcpCloser.Tests.Proc;

/// <summary>The profile that confines the process, as the kernel writes it into /proc/thread-self/attr.</summary>
public sealed class AppArmorTests
{
    [Theory]
    [InlineData("docker-default (enforce)\n", "docker-default")]
    [InlineData("cri-containerd.apparmor.d (enforce)\n", "cri-containerd.apparmor.d")]
    [InlineData("a (enforce) b (enforce)\n", "a (enforce) b")]
    [InlineData("a\nb (enforce)\n", @"a\x0Ab")]
    [InlineData("docker-default (complain)\n", null)]
    [InlineData("unconfined\n", null)]
    [InlineData("system_u:system_r:container_t:s0:c1,c2\0", null)] // SELinux
    [InlineData("", null)]
    public void ProfileOf_Label_IsTheProfileThatRefuses(string label, string? profile) =>
        Assert.Equal(profile, AppArmor.ProfileOf(Encoding.UTF8.GetBytes(label)));
}
