namespace TcpCloser.Lab;

/// <summary>Something the Lab needs cannot be had; its message is one line for whoever started it.</summary>
internal sealed class LabException(string message) : Exception(message);
