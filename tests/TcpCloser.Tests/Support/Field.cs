namespace TcpCloser.Tests.Support;

/// <summary>A field of a kernel struct and its bytes in hexadecimal, in the order in which they are sent.</summary>
internal readonly record struct Field(string Name, string Hex)
{
    /// <summary>Asserts that the message consists of exactly these fields, in this order.</summary>
    public static void AssertAre(ReadOnlySpan<byte> message, params Field[] fields)
    {
        int at = 0;
        foreach (Field field in fields)
        {
            int length = Convert.FromHexString(field.Bare).Length;
            Assert.True(at + length <= message.Length, $"the message ends before {field.Name}");
            Assert.Equal($"{field.Name} {field.Bare}", $"{field.Name} {Convert.ToHexStringLower(message.Slice(at, length))}");
            at += length;
        }

        Assert.Equal(at, message.Length);
    }

    private string Bare => Hex.Replace(" ", "", StringComparison.Ordinal);
}
