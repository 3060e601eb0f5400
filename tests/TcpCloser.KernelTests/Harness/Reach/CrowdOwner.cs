namespace TcpCloser.KernelTests.Harness.Reach;

/// <summary>A process that holds a socket of the crowd.</summary>
internal sealed record CrowdOwner(int Pid, string Comm);
