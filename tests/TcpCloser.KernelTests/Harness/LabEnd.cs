namespace TcpCloser.KernelTests.Harness;

/// <summary>One end of a connection in the output of the Lab's <c>list</c>.</summary>
/// <param name="View">alive, eof, aborted, reset, notconn, pipe, closed, none (there is no such end), or gone (its process has ended).</param>
/// <param name="Tcp">The TCP state as ss spells it.</param>
/// <param name="Saw">Everything that its process observed, in order: <c>ECONNABORTED,eof,EPIPE</c>.</param>
/// <param name="Blocked">The result of a blocked call: <c>read:ECONNABORTED</c>.</param>
internal sealed record LabEnd(string View, string Tcp, string Saw, string Blocked);
