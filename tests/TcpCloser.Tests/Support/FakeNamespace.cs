namespace TcpCloser.Tests.Support;

/// <summary>A network namespace of a <see cref="FakeKernel"/>.</summary>
internal sealed class FakeNamespace(FakeKernel kernel, byte[]? name = null) : NetworkNamespace(name)
{
    /// <summary>A namespace that answers nothing.</summary>
    public static FakeNamespace Silent { get; } = new(FakeKernel.Answering());

    public override INetlinkSocket OpenSocket() => kernel.Open();

    public override INetlinkSocket OpenRouteSocket() => kernel.Open();
}
