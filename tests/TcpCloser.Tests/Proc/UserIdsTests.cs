using System.Text;

namespace TcpCloser.Tests.Proc;

/// <summary>The uid that stands for users unknown to the user namespace, which exists only if its map has holes.</summary>
public sealed class UserIdsTests
{
    [Theory]
    [Rows("0 1000 1\n | 65534\n | 65534", "0 0 65536\n | 65534\n | 65534", "1 1 4294967294\n | 65534\n | 65534",
        "0 0 1000\n1001 1001 4294966294\n | 65534\n | 65534", "0 1000 1\n | 99\n | 99", "nonsense\n | nonsense\n | 65534",
        "         0          0 4294967295\n | 65534\n | null", "0 0 1000\n1000 1000 4294966295\n | 65534\n | null",
        "1000 1000 4294966295\n0 5 1000\n | 65534\n | null", "0 1000 1\n |  | 65534", " | 65534\n | 65534")]
    public void OverflowUid_UidMapWithOrWithoutHoles_ExistsOnlyWithHoles(string uidMap, string overflowUid, uint? expected) =>
        Assert.Equal(expected, UserIds.Overflow(Encoding.ASCII.GetBytes(uidMap), Encoding.ASCII.GetBytes(overflowUid)));
}
