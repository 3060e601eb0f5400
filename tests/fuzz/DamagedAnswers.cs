namespace TcpCloser.Fuzz;

/// <summary>Answers of a kernel, some of them damaged, lost, duplicated, or from another sender.</summary>
internal sealed class DamagedAnswers(Dice dice)
{
    private const int HighestErrno = 133;
    private readonly Mutator _mutator = new(dice);

    public bool IsWhole { get; private set; } = true;
    /// <summary>All datagrams that the kernel sent, damaged or not.</summary>
    public List<byte[]> FromKernel { get; } = [];

    public List<Answer> Of(IReadOnlyList<byte[]> datagrams)
    {
        var answers = new List<Answer>();
        foreach (byte[] datagram in datagrams)
        {
            switch (dice.Below(24))
            {
                case < 4:
                    Add(answers, new Answer(_mutator.Damage(datagram, dice.Pick(datagrams))));
                    break;
                case 4 when dice.OneIn(2):
                    IsWhole = false;
                    break;
                case 4:
                    Add(answers, new Answer(datagram));
                    Add(answers, new Answer(datagram));
                    break;
                case 5 when dice.OneIn(2) && dice.Below(HighestErrno) + 1 is not Errno.EAGAIN and var errno: // not a fault
                    Add(answers, Answer.Failing(errno));
                    break;
                case 5:
                    Add(answers, new Answer(_mutator.Damage(datagram, datagram), Sender: 4711));
                    break;
                default:
                    answers.Add(new Answer(datagram));
                    FromKernel.Add(datagram);
                    break;
            }
        }

        return answers;
    }

    public bool Contain(ReadOnlySpan<byte> bytes)
    {
        foreach (byte[] datagram in FromKernel)
        {
            if (datagram.AsSpan().IndexOf(bytes) >= 0)
            {
                return true;
            }
        }

        return false;
    }

    private void Add(List<Answer> answers, Answer answer)
    {
        answers.Add(answer);
        IsWhole = false;
        if (answer is { Sender: 0, Errno: 0 })
        {
            FromKernel.Add(answer.Datagram);
        }
    }
}
