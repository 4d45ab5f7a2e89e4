"""Before and after the hand-over: stores of the operators, accounts to pair again."""
