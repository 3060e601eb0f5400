namespace TcpCloser.KernelTests.Harness;

/// <summary>One end of a connection as the Lab's <c>list</c> shows it.</summary>
/// <param name="View">alive, eof, aborted, reset, notconn, pipe, closed, none (there is no such end), gone (its process is dead).</param>
/// <param name="Tcp">The TCP state by ss's name.</param>
/// <param name="Saw">Everything it saw, in order: <c>ECONNABORTED,eof,EPIPE</c>.</param>
/// <param name="Blocked">What a blocked call returned: <c>read:ECONNABORTED</c>.</param>
internal sealed record LabEnd(string View, string Tcp, string Saw, string Blocked);
