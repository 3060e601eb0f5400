namespace TcpCloser.Tests.Support;

/// <summary>A network namespace of a <see cref="FakeKernel"/>.</summary>
internal sealed class FakeNamespace(FakeKernel kernel, byte[]? name = null) : NetworkNamespace(name)
{
    public static FakeNamespace Silent { get; } = new(FakeKernel.Answering()); // a namespace that answers nothing

    public override INetlinkSocket OpenSocket() => kernel.Open();
    public override INetlinkSocket OpenRouteSocket() => kernel.Open();
}
