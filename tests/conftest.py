"""For all suites."""

import signal

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # A shell's background job ignores Ctrl-C, and so does all that it starts: programs that are sent one would go on.
    signal.signal(signal.SIGINT, signal.default_int_handler)
