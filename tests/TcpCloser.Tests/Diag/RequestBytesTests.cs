namespace TcpCloser.Tests.Diag;

/// <summary>The requests, byte for byte as the C headers lay them out.</summary>
public sealed class RequestBytesTests
{
    [Fact]
    public void DumpRequest_IPv6Only_IsByFamily() => Field.AssertAre(
        Build(Words.Select("-6", "-s", "22"), [], 0x01020304),
        new("nlmsg_len", "48 00 00 00"), new("nlmsg_type SOCK_DIAG_BY_FAMILY", "14 00"), new("nlmsg_flags REQUEST|DUMP", "01 03"),
        new("nlmsg_seq", "04 03 02 01"), new("nlmsg_pid", "00 00 00 00"),
        new("sdiag_family AF_INET6", "0a"), new("sdiag_protocol IPPROTO_TCP", "06"), new("idiag_ext INFO", "02"), new("pad", "00"),
        new("idiag_states ESTABLISHED", "02 00 00 00"),
        new("idiag_sport, network order", "00 16"), new("idiag_dport", "00 00"),
        new("idiag_src", "00000000 00000000 00000000 00000000"), new("idiag_dst", "00000000 00000000 00000000 00000000"),
        new("idiag_if", "00 00 00 00"), new("idiag_cookie", "00000000 00000000"));

    [Fact]
    public void DumpRequest_WithIPv4_IsTheLegacyRequestForBothFamilies() => Field.AssertAre(
        Build(Words.Select("-46", "-d", "8080", "--state", "close-wait,fin-wait-2"), [], 7),
        new("nlmsg_len", "4c 00 00 00"), new("nlmsg_type TCPDIAG_GETSOCK", "12 00"), new("nlmsg_flags REQUEST|DUMP", "01 03"),
        new("nlmsg_seq", "07 00 00 00"), new("nlmsg_pid", "00 00 00 00"),
        new("idiag_family", "02"), new("idiag_src_len", "00"), new("idiag_dst_len", "00"), new("idiag_ext INFO", "02"),
        new("idiag_sport", "00 00"), new("idiag_dport, network order", "1f 90"),
        new("idiag_src", "00000000 00000000 00000000 00000000"), new("idiag_dst", "00000000 00000000 00000000 00000000"),
        new("idiag_if", "00 00 00 00"), new("idiag_cookie", "00000000 00000000"),
        new("idiag_states CLOSE_WAIT|FIN_WAIT2", "20 01 00 00"), new("idiag_dbs", "00 00 00 00"));

    [Fact]
    public void DumpRequest_IPv4Only_AddsAFilter()
    {
        Selection selection = Words.Select("-4", "-s", "22", "-d", "80,90-99");
        Field.AssertAre(
            Build(selection, Words.Compile(selection), 1),
            new("nlmsg_len", "84 00 00 00"), new("nlmsg_type TCPDIAG_GETSOCK", "12 00"), new("nlmsg_flags REQUEST|DUMP", "01 03"),
            new("nlmsg_seq", "01 00 00 00"), new("nlmsg_pid", "00 00 00 00"),
            new("idiag_family, lengths, ext", "02 00 00 02"),
            new("idiag_sport: the only one", "00 16"), new("idiag_dport: more than one", "00 00"),
            new("idiag_src, idiag_dst", "0000000000000000 0000000000000000 0000000000000000 0000000000000000"),
            new("idiag_if, idiag_cookie", "00000000 00000000 00000000"), new("idiag_states, idiag_dbs", "02000000 00000000"),
            new("nla_len", "38 00"), new("nla_type INET_DIAG_REQ_BYTECODE", "01 00"),
            new("0000 S_COND yes 16 no reject", "07 10 38 00"), new("  AF_INET/0, port -1", "02 00 00 00 ff ff ff ff"), new("  addr", "00 00 00 00"),
            new("0010 D_GE 80 yes 8 no reject", "04 08 28 00 00 00 50 00"), new("0018 D_GE 81 yes 8 no accept", "04 08 1c 00 00 00 51 00"),
            new("0020 D_GE 90 yes 8 no reject", "04 08 18 00 00 00 5a 00"), new("0028 D_GE 100 yes 8 no accept", "04 08 0c 00 00 00 64 00"),
            new("0030 JMP reject", "01 04 08 00"));
    }

    [Fact]
    public void LookupRequest_IPv4Connection_NamesItsCookie()
    {
        Connection connection = Connections.Of("10.0.0.1:22 10.0.0.2:51422");
        connection.Interface = 3;
        Field.AssertAre(
            DumpRequest.BuildLookup(in connection, 9),
            new("nlmsg_len", "48 00 00 00"), new("nlmsg_type SOCK_DIAG_BY_FAMILY", "14 00"), new("nlmsg_flags REQUEST, no DUMP", "01 00"),
            new("nlmsg_seq", "09 00 00 00"), new("nlmsg_pid", "00 00 00 00"),
            new("sdiag_family AF_INET", "02"), new("sdiag_protocol IPPROTO_TCP", "06"), new("idiag_ext INFO", "02"), new("pad", "00"),
            new("idiag_states all", "ff ff ff ff"),
            new("idiag_sport", "00 16"), new("idiag_dport", "c8 de"),
            new("idiag_src", "0a000001 00000000 00000000 00000000"), new("idiag_dst", "0a000002 00000000 00000000 00000000"),
            new("idiag_if", "03 00 00 00"), new("idiag_cookie[0] low", "88 77 66 55"), new("idiag_cookie[1] high", "44 33 22 11"));
    }

    [Fact]
    public void LookupRequest_DualStackConnection_IsForAnIPv6Socket()
    {
        Connection connection = Connections.Of("::ffff:10.0.0.1:22 ::ffff:10.0.0.2:51422");
        byte[] request = DumpRequest.BuildLookup(in connection, 9);
        Assert.Equal(10, request[16]);
        Assert.Equal("00000000000000000000ffff0a000001", Convert.ToHexStringLower(request.AsSpan(28, 16)));
    }

    [Fact]
    public void DumpRequest_LongestFilter_FitsTheLengthOfTheAttribute()
    {
        byte[] request = Build(Words.Select("-6", "-s", "22"), new byte[BytecodeAudit.MaxLength], 1);
        Assert.Equal(72 + 4 + BytecodeAudit.MaxLength, request.Length);
        Assert.Equal(4 + BytecodeAudit.MaxLength, BitConverter.ToUInt16(request, 72));
    }

    [Fact]
    public void MptcpRequest_IPv6_NamesTheProtocol() => Field.AssertAre(
        Numbered(DumpRequest.BuildMptcp(10), 3),
        new("nlmsg_len", "50 00 00 00"), new("nlmsg_type SOCK_DIAG_BY_FAMILY", "14 00"), new("nlmsg_flags REQUEST|DUMP", "01 03"),
        new("nlmsg_seq", "03 00 00 00"), new("nlmsg_pid", "00 00 00 00"),
        new("sdiag_family AF_INET6", "0a"), new("sdiag_protocol", "06"), new("idiag_ext, pad", "00 00"),
        new("idiag_states all", "ff ff ff ff"), new("id", new string('0', 96)),
        new("nla_len", "08 00"), new("nla_type INET_DIAG_REQ_PROTOCOL", "03 00"), new("IPPROTO_MPTCP", "06 01 00 00"));

    private static byte[] Build(Selection selection, byte[] bytecode, uint sequence) => Numbered(DumpRequest.Build(selection, bytecode), sequence);

    private static byte[] Numbered(byte[] request, uint sequence)
    {
        DumpRequest.SetSequence(request, sequence);
        return request;
    }
}
