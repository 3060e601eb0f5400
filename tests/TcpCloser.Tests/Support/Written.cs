using System.Runtime.InteropServices;

namespace TcpCloser.Tests.Support;

/// <summary>Captures what the program writes to a descriptor, which it does without System.Console.</summary>
internal static partial class Written
{
    public static Lock ProcessLock { get; } = new(); // the lock for changes of what the whole process shares: descriptors and environment

    public static string ToStdout(Action action) => To(1, action);
    public static string ToStderr(Action action) => To(2, action);

    /// <summary>Redirects the descriptor to a full device.</summary>
    public static void ToFull(int fd, Action action)
    {
        using FileStream device = File.OpenWrite("/dev/full");
        ToDescriptor(fd, DescriptorOf(device), action);
    }

    /// <summary>Redirects the descriptor to the target of another one, during the action.</summary>
    public static void ToDescriptor(int fd, int other, Action action)
    {
        lock (ProcessLock)
        {
            int saved = Dup(fd);
            Assert.Equal(fd, Dup2(other, fd));
            try
            {
                action();
            }
            finally
            {
                Assert.Equal(fd, Dup2(saved, fd));
                _ = Close(saved);
            }
        }
    }

    /// <summary>The text that the action writes to the descriptor.</summary>
    private static string To(int fd, Action action)
    {
        string path = Path.Combine(Path.GetTempPath(), $"tcp-closer-test-{Guid.NewGuid():n}.out");
        try
        {
            using (FileStream file = File.Create(path))
            {
                ToDescriptor(fd, DescriptorOf(file), action);
            }

            return File.ReadAllText(path);
        }
        finally
        {
            File.Delete(path);
        }
    }

    private static int DescriptorOf(FileStream file) => (int)file.SafeFileHandle.DangerousGetHandle();

    [LibraryImport("libc", EntryPoint = "dup")]
    private static partial int Dup(int fd);

    [LibraryImport("libc", EntryPoint = "dup2")]
    private static partial int Dup2(int from, int to);

    [LibraryImport("libc", EntryPoint = "close")]
    private static partial int Close(int fd);
}
