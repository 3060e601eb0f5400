using TcpCloser.Cli;

namespace TcpCloser.Tests.Cli;

/// <summary>Records of <c>--json</c> that name connections.</summary>
public sealed class ConnectionRecordTests
{
    private const string Fields = "\"local_address\":\"10.0.0.1\",\"local_port\":22,\"remote_address\":\"10.0.0.2\",\"remote_port\":5000";
    private const string Ends = "10.0.0.1:22 -> 10.0.0.2:5000";

    /// <summary>Every outcome of a connection that is left alone, and no other, is skipped.</summary>
    [Fact]
    public void IsLeftAlone_EachOutcome_IsThatOfASkippedConnection() => Assert.All(Enum.GetValues<Outcome>(), static outcome =>
    {
        OutcomeInfo info = OutcomeInfo.Of(outcome);
        bool isLeftAlone = info.Counted is Counted.Matched or Counted.Answered or Counted.Unproved or Counted.Unasked or Counted.OverLimit or Counted.Spared;
        Assert.Equal(isLeftAlone, ConnectionRecord.IsLeftAlone(info.Name));
    });

    [Theory]
    [InlineData("{" + Fields + "}", Ends)]
    [InlineData("{ \"type\" : \"connection\" ,\n" + Fields + ", \"cookie\": \"1a\" }", Ends + " cookie=1a")]
    [InlineData("{\"owners\":[{\"pid\":1,\"comm\":\"}]\\\"{\"},[]],\"x\":null,\"y\":-1.5e3," + Fields + ",\"z\":{}}", Ends)]
    [InlineData("{" + Fields + ",\"local_port\":23}", "10.0.0.1:23 -> 10.0.0.2:5000")]
    [InlineData("{\"local_address\":\"fe80::1%eth0\",\"local_port\":22,\"remote_address\":\"fe80::2%eth0\",\"remote_port\":5}", "[fe80::1%eth0]:22 -> [fe80::2]:5")]
    [InlineData("{\"local_address\":\"fe80::1%eth0\",\"local_port\":22,\"remote_address\":\"fe80::2\",\"remote_port\":5,\"cookie\":\"1\"}", "[fe80::1]:22 -> [fe80::2]:5 cookie=1")]
    [InlineData("{\"local_address\":\"0.0.0.0\",\"local_port\":22,\"remote_address\":\"0.0.0.0\",\"remote_port\":0}", "0.0.0.0:22 -> 0.0.0.0:0")]
    [InlineData("{\"netns\":\"blue\"," + Fields + "}", Ends + " netns=blue")]
    [InlineData("{\"netns\":\"a b\"," + Fields + "}", Ends + " netns=\"a b\"")]
    // JSON's escapes, and those that our records use for bytes that are not UTF-8
    [InlineData("{\"netns\":\"\\\"\\u0041\\ud83d\\ude00\\\\x5C\\\\xFF\\/\"," + Fields + "}", Ends + " netns=\\x22A😀\\x5C\\xFF/")]
    [InlineData("{\"type\":\"summary\",\"matched\":1}", null)]
    [InlineData("{\"type\":\"totals\"}", null)]
    [InlineData("{\"type\":\"signal\",\"pid\":1}", null)]
    public void TryParse_ValidRecord_IsRead(string record, string? connection) => Assert.Equal(connection, Named.OfRecord(record));

    [Theory]
    [InlineData("{}", "lacks local_address")]
    [InlineData("{\"type\":\"group\",\"key\":\"22\"}", "lacks local_address")]
    [InlineData("{\"local_address\":\"10.0.0.1\",\"local_port\":22,\"remote_address\":\"10.0.0.2\"}", "lacks local_address")]
    [InlineData("{" + Fields + ",\"cookie\":1}", "the cookie of this record")]
    [InlineData("{" + Fields + ",\"cookie\":\"0\"}", "the cookie of this record")]
    [InlineData("{" + Fields + ",\"cookie\":\"x\"}", "the cookie of this record")]
    [InlineData("{" + Fields + ",\"netns\":null}", "the netns of this record")]
    [InlineData("{" + Fields + ",\"netns\":\"\"}", "the netns of this record")]
    [InlineData("{" + Fields + ",\"netns\":\"\\q\"}", "the netns of this record")]
    [InlineData("{" + Fields + ",\"netns\":\"\\ud83d\"}", "the netns of this record")]
    public void TryParse_InvalidRecord_ReportsWhatIsWrong(string record, string advice) => Assert.Contains(advice, Named.OfRecord(record), StringComparison.Ordinal);

    [Theory]
    [Values("{" + Fields + ",\"a\":1,}", "{" + Fields + " \"a\":1}", "{,}", "{]", "{\"a\"}", "{\"a\":}", "{a:1}", "{" + Fields + ",\"a\":?}",
        "{" + Fields + ",\"a\":,\"b\":1}")]
    public void TryParse_InvalidJson_IsRefused(string record) =>
        Assert.Contains("the JSON is invalid", Named.OfRecord(record), StringComparison.Ordinal);

    /// <summary>The last of several fields with the same name counts, whether it is valid or not.</summary>
    [Theory]
    [Values("\"local_address\":\"host\"", "\"local_address\":10", "\"remote_address\":null", "\"local_port\":\"22\"",
        "\"local_port\":65536", "\"local_port\":-1", "\"local_port\":22.0", "\"local_port\":[22]", "\"remote_port\":65536")]
    public void TryParse_InvalidField_IsRefusedAloneAndRepeated(string field)
    {
        string name = field.Split(':')[0];
        string others = string.Join(',', Fields.Split(',').Where(other => !other.StartsWith(name, StringComparison.Ordinal)));
        Assert.Contains("or their values are invalid", Named.OfRecord($"{{{others},{field}}}"), StringComparison.Ordinal);
        Assert.Contains("or their values are invalid", Named.OfRecord($"{{{Fields},{field}}}"), StringComparison.Ordinal);
    }
}
