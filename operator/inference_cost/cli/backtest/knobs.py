"""How a controller was set, as told by the knob of its row."""

DEFAULT, TUNED = "default", "tuned"


def setting(knob: str) -> str:
    """`default` or `tuned`; "" where there is nothing to set, also where the knob says what came out ("10 replicas").

    Rows of many policies belong together by it: what follows differs from policy to policy.
    """
    how = knob.partition(":")[0]
    return how if how in {DEFAULT, TUNED} else ""
