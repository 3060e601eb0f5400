using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using TcpCloser.Interop;
using TcpCloser.Rules;

namespace TcpCloser.Diag;

/// <summary>INET_DIAG bytecode as text, one op per line: <c>0000 S_GE 8000 else 0020</c>.</summary>
internal static class Disassembler
{
    public static IEnumerable<string> Lines(byte[] program)
    {
        for (int at = 0; at + Unsafe.SizeOf<InetDiagBcOp>() <= program.Length;)
        {
            var op = MemoryMarshal.Read<InetDiagBcOp>(program.AsSpan(at));
            string no = Target(at + op.No, program.Length);
            yield return $"{at:x4} " + op.Code switch
            {
                SockDiag.INET_DIAG_BC_JMP => $"JMP {no}",
                SockDiag.INET_DIAG_BC_S_GE => $"S_GE {Port(program, at)} else {no}",
                SockDiag.INET_DIAG_BC_S_LE => $"S_LE {Port(program, at)} else {no}",
                SockDiag.INET_DIAG_BC_D_GE => $"D_GE {Port(program, at)} else {no}",
                SockDiag.INET_DIAG_BC_D_LE => $"D_LE {Port(program, at)} else {no}",
                SockDiag.INET_DIAG_BC_S_COND => $"S_COND {Prefix(program, at)} else {no}",
                SockDiag.INET_DIAG_BC_D_COND => $"D_COND {Prefix(program, at)} else {no}",
                SockDiag.INET_DIAG_BC_DEV_COND => $"DEV_COND {Operand<uint>(program, at)} else {no}",
                SockDiag.INET_DIAG_BC_MARK_COND => $"MARK_COND {Operand<SocketMark>(program, at)} else {no}",
                SockDiag.INET_DIAG_BC_CGROUP_COND => $"CGROUP_COND {Operand<ulong>(program, at)} else {no}",
                _ => $"op {op.Code} else {no}",
            };
            at += Math.Max(op.Yes, (byte)Unsafe.SizeOf<InetDiagBcOp>());
        }
    }

    private static string Target(int at, int length) => at == length ? "accept" : at > length ? "reject" : $"{at:x4}";

    private static ushort Port(byte[] program, int at) => Operand<InetDiagBcOp>(program, at).No;

    private static T Operand<T>(byte[] program, int at) where T : unmanaged => MemoryMarshal.Read<T>(program.AsSpan(at + Unsafe.SizeOf<InetDiagBcOp>()));

    private static string Prefix(byte[] program, int at)
    {
        var condition = Operand<InetDiagHostCond>(program, at);
        var address = default(Address);
        int start = at + Unsafe.SizeOf<InetDiagBcOp>() + Unsafe.SizeOf<InetDiagHostCond>();
        int length = condition.Family == Socket.AF_INET ? 4 : 16;
        program.AsSpan(start, length).CopyTo(MemoryMarshal.CreateSpan(ref Unsafe.As<Address, byte>(ref address), length));
        return $"{AddressText.Format(in address, condition.Family)}/{condition.PrefixLen}";
    }
}
