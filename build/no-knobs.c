/*
 * The .NET runtime reads settings for its garbage collector, crash dumps and more from environment variables. Machines that run
 * .NET services often set these for all programs, with values for a large server: DOTNET_GCHeapHardLimit=1000 or
 * DOTNET_GCLargePages=1 would end this program with exit status 255 and no message. Therefore they are removed from the
 * environment before main, where the runtime starts. The settings of the build (TcpCloser.csproj) are in the binary and still apply.
 *
 * No headers are used, because the file is compiled against both glibc and musl.
 */
extern char **environ;

static int begins_with(const char *text, const char *prefix)
{
    while (*prefix != '\0' && *text == *prefix) {
        text++;
        prefix++;
    }
    return *prefix == '\0';
}

__attribute__((constructor(101), visibility("hidden"))) void drop_runtime_settings(void)
{
    char **kept = environ;
    for (char **entry = environ; *entry; entry++)
        if (!begins_with(*entry, "DOTNET_") && !begins_with(*entry, "COMPlus_"))
            *kept++ = *entry;
    *kept = 0;
}
