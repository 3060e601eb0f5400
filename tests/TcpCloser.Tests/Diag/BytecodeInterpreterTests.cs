namespace TcpCloser.Tests.Diag;

/// <summary>The fake kernel judges programs written by hand as the real one does: the tests of the compiler rely on it.</summary>
public sealed class BytecodeInterpreterTests
{
    [Theory]
    [InlineData("01 04 04 00")] // JMP to the end
    [InlineData("01 04 08 00")] // JMP to end + 4: rejects
    [InlineData("02 08 08 00 00 00 16 00")] // S_GE 22
    [InlineData("02 08 0c 00 00 00 16 00")]
    [InlineData("00 04 63 63")] // NOP: its no is ignored
    [InlineData("0b 08 0c 00 00 00 16 00 01 04 08 00")] // S_EQ 22 else the end of the program; JMP out
    [InlineData("09 08 0c 00 01 00 00 00")] // DEV_COND 1
    [InlineData("0a 0c 10 00 01 00 00 00 ff 00 00 00")] // MARK_COND 1/0xff
    [InlineData("07 10 14 00 02 08 00 00 ff ff ff ff 0a 00 00 00")] // S_COND 10.0.0.0/8
    [InlineData("08 0c 10 00 00 00 00 00 50 00 00 00")] // D_COND *:80
    public void Audit_ValidProgram_IsAccepted(string hex) => Assert.Null(BytecodeAudit.Refusal(Program(hex)));

    [Theory]
    [InlineData("")]
    [InlineData("01 04 04")]
    [InlineData("01 00 04 00")] // yes = 0
    [InlineData("01 06 04 00")] // yes is not a multiple of 4
    [InlineData("01 08 04 00")] // yes beyond the end
    [InlineData("01 04 00 00")] // no below the op's own size
    [InlineData("01 04 0c 00")] // no beyond end + 4
    [InlineData("01 04 06 00")]
    [InlineData("0e 04 04 00")] // unknown op
    [InlineData("02 04 08 00")] // S_GE without its port
    [InlineData("02 04 08 00 00 00 16 00")] // yes into the port
    [InlineData("02 08 04 00 00 00 16 00")] // no into the port
    [InlineData("01 04 08 00 02 08 0c 00 00 00 16 00")] // JMP into a port
    [InlineData("07 10 14 00 02 21 00 00 ff ff ff ff 0a 00 00 00")] // /33
    [InlineData("07 10 14 00 03 08 00 00 ff ff ff ff 0a 00 00 00")] // family 3
    [InlineData("07 10 14 00 0a 08 00 00 ff ff ff ff 0a 00 00 00")] // IPv6 without its 16 bytes
    public void Audit_InvalidProgram_IsRefused(string hex) => Assert.NotNull(BytecodeAudit.Refusal(Program(hex)));

    [Fact]
    public void Audit_UnsupportedOpOrTooLongProgram_IsRefused()
    {
        Assert.NotNull(BytecodeAudit.Refusal(Program("0b 08 0c 00 00 00 16 00"), hasEqual: false));
        Assert.NotNull(BytecodeAudit.Refusal(Program("0a 0c 10 00 01 00 00 00 ff 00 00 00"), netAdmin: false));
        Assert.NotNull(BytecodeAudit.Refusal(new byte[65_532]));
        Assert.Null(BytecodeAudit.Refusal(Program(string.Concat(Enumerable.Repeat("00 04 00 00", 65_528 / 4)))));
    }

    [Theory]
    [Rows("01 04 04 00 | true", "01 04 08 00 | false", "00 04 00 00 | true", "02 08 0c 00 00 00 16 00 | true",
        "02 08 0c 00 00 00 17 00 | false", "03 08 0c 00 00 00 16 00 | true", "03 08 0c 00 00 00 15 00 | false",
        "04 08 0c 00 00 00 50 00 | true", "04 08 0c 00 00 00 51 00 | false", "05 08 0c 00 00 00 50 00 | true",
        "05 08 0c 00 00 00 4f 00 | false", "0b 08 0c 00 00 00 16 00 | true", "0b 08 0c 00 00 00 50 00 | false",
        "0c 08 0c 00 00 00 50 00 | true", "0c 08 0c 00 00 00 16 00 | false", "09 08 0c 00 03 00 00 00 | true",
        "09 08 0c 00 04 00 00 00 | false", "0a 0c 10 00 05 00 00 00 0f 00 00 00 | true", "0a 0c 10 00 05 00 00 00 ff 00 00 00 | false",
        "0d 0c 10 00 07 00 00 00 00 00 00 00 | true", "0d 0c 10 00 07 00 00 00 01 00 00 00 | false",
        "07 10 14 00 02 08 00 00 ff ff ff ff 0a ff ff ff | true", "07 10 14 00 02 18 00 00 ff ff ff ff 0a 01 02 00 | true",
        "07 10 14 00 02 18 00 00 ff ff ff ff 0a 01 03 00 | false", "08 10 14 00 02 18 00 00 ff ff ff ff 0a 01 02 00 | false",
        "07 10 14 00 02 18 00 00 16 00 00 00 0a 01 02 00 | true", "07 10 14 00 02 18 00 00 17 00 00 00 0a 01 02 00 | false",
        "07 1c 20 00 0a 00 00 00 ff ff ff ff 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 | false")]
    public void Interpreter_EachOp_AcceptsOrRejectsTheEntry(string hex, bool accepted)
    {
        byte[] program = Program(hex);
        Assert.Null(BytecodeAudit.Refusal(program));
        FilterEntry entry = FilterEntry.Between("10.1.2.3", 22, "10.9.9.9", 80) with { Interface = 3, Mark = 0xf5, CgroupId = 7 };
        Assert.Equal(accepted, BytecodeInterpreter.Accepts(program, in entry));
    }

    [Theory]
    [Rows("10.1.2.3 | true", "::ffff:10.1.2.3 | true", "::a01:203 | false", "fd00::1 | false")]
    public void Interpreter_IPv4Condition_AlsoMatchesDualStackSockets(string source, bool accepted)
    {
        byte[] program = Program("07 10 14 00 02 00 00 00 ff ff ff ff 00 00 00 00");
        FilterEntry entry = FilterEntry.Between(source, 22, source, 80);
        Assert.Equal(accepted, BytecodeInterpreter.Accepts(program, in entry));
    }

    private static byte[] Program(string hex) => Convert.FromHexString(hex.Replace(" ", "", StringComparison.Ordinal));
}
