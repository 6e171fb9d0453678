"""Claims of the README, each a command that measures it beside an alternative."""
