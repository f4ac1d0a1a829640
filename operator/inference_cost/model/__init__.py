"""Frozen value objects that flow one way: observe → decide → act → account.

No I/O, no clock, no logging. Times are epoch seconds (float, UTC), durations are seconds, shares are fractions
of one, rates are per second, money is `Decimal`. What is not known is `Missing`, never zero and never None.
"""
