namespace TcpCloser.Tests.Support;

/// <summary>A field of a kernel struct and its bytes, in hexadecimal as they go over the socket.</summary>
internal readonly record struct Field(string Name, string Hex)
{
    /// <summary>That the message is these fields, one after the other, and nothing else.</summary>
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
