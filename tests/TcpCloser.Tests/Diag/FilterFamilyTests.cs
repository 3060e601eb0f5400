using CsCheck;
using TcpCloser.Diag;
using TcpCloser.Tests.Support;

namespace TcpCloser.Tests.Diag;

/// <summary>The family in the filter: the legacy dump walks sockets of both, and IPv4 also runs over IPv6 sockets.</summary>
public sealed class FilterFamilyTests
{
    [Theory]
    [InlineData("-4", "10.0.0.1", true)]
    [InlineData("-4", "::ffff:10.0.0.1", true)]
    [InlineData("-4", "::ffff:255.255.255.255", true)]
    [InlineData("-4", "fd00::1", false)]
    [InlineData("-4", "::", false)]
    [InlineData("-4", "::1", false)]
    [InlineData("-4", "::10.0.0.1", false)]
    [InlineData("-4", "::fffe:10.0.0.1", false)]
    [InlineData("-4", "1::ffff:10.0.0.1", false)]
    [InlineData("-46", "10.0.0.1", true)]
    [InlineData("-46", "::ffff:10.0.0.1", true)]
    [InlineData("-46", "fd00::1", true)]
    [InlineData("-6", "::ffff:10.0.0.1", true)]
    [InlineData("-6", "fd00::1", true)]
    public void Of(string family, string address, bool listed)
    {
        foreach (string ports in new[] { "22", "22,80", "1-30,80-90,100,200,300,400,500,600,700" })
        {
            byte[] program = Words.Compile(Words.Select(family, "-s", ports));
            FilterEntry entry = FilterEntry.Between(address, 22, address, 5);
            Assert.Equal(listed, BytecodeInterpreter.Accepts(program, in entry));
        }
    }

    [Fact]
    public void IPv4AloneAgreesWithTheSelectionOnAnyAddress() => Gen.OneOf(
        Gen.Byte.Array[16], Gen.Byte.Array[4].Select(static tail => (byte[])[0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, .. tail]),
        Gen.OneOf<byte>(0, 0xff).Array[16]).Sample(static bytes =>
    {
        string address = new System.Net.IPAddress(bytes).ToString();
        Selection selection = Words.Select("-4", "-s", "22,80");
        byte[] program = Words.Compile(selection);
        FilterEntry entry = FilterEntry.Between(address, 80, address, 5);
        Connection connection = Connections.Of($"{address}:80 {address}:5");
        Assert.Equal(Words.Matches(selection, in connection), BytecodeInterpreter.Accepts(program, in entry));
    }, iter: 20_000);
}
