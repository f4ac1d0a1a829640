"""Why so many nodes are kept ready, one sentence per reason code."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from inference_cost.decide.explain.words import count
from inference_cost.model.warm import WarmPlan

Values = Mapping[str, Any]


def _sized(values: Values) -> str:
    return (
        f"{count(int(values['nodes']), 'node')} for {values['policies']} policies together, in place of "
        f"{values['separate']} for each by itself; how far these grow at the same time is {values['correlation']} of 1."
    )


def _secret_images(values: Values) -> str:
    further = int(values["further"])
    more = f" and {further} more" if further else ""
    return (
        f"Not loaded ahead of time: {values['image']}{more}, pulled with a secret of its namespace, "
        "which is not read."
    )


SENTENCES: Final[Mapping[str, Callable[[Values], str]]] = {
    "warm-not-asked": lambda _: "`spec.warm` asks for nothing.",
    "warm-spot": lambda _: (
        "None is kept: nodes of this pool can be taken away just when they are needed. Set `spec.warm` on a pool of "
        "on-demand or reserved nodes."
    ),
    "warm-unknown-capacity": lambda _: (
        "None is kept: nothing tells whether nodes of this pool can be taken away. Add the label that does to "
        "`spec.nodeSelector`, for example karpenter.sh/capacity-type: on-demand."
    ),
    "warm-no-node": lambda _: (
        "None is kept: how many GPUs a node has is not known until the cluster has one of this kind."
    ),
    "warm-no-policy": lambda _: (
        "No policy that finds out itself how much room it needs runs here: no more than `min`."
    ),
    "warm-variants": lambda v: (
        f"{v['policies']} of these have several variants: {v['growing']} would ask for more here when load grows, "
        f"{v['losing']} in place of what is taken away elsewhere."
    ),
    "warm-no-price": lambda _: "The price of a node is not known: no more than `min`.",
    "warm-learning": lambda _: (
        "What policies here need at once is still learned, for an hour: no more than `min`."
    ),
    "warm-not-shared": lambda v: (
        f"Sharing saves nothing here: {v['nodes']} would do for {v['policies']} together, {v['separate']} for each by "
        "itself. A replica that serves costs the same as a node that waits: no more than `min`."
    ),
    "warm-recommend": lambda v: (
        f"No policy here is in Enforce: no more than `min`. If all were, {v['nodes']} would pay."
    ),
    "warm-sized": _sized,
    "warm-max": lambda _: "More are not allowed by `max`.",
    "warm-min": lambda _: "Fewer are not allowed by `min`.",
    "warm-held": lambda v: f"{v['nodes']} were wanted within the last half hour, and stay.",
    "warm-scarce": lambda v: (
        f"{count(int(v['waiting']), 'placeholder')} waited in vain for a node: one is asked for until it comes."
    ),
    "warm-limit": lambda v: f"`limits` leaves room for {v['nodes']} beside what is in use.",
    "warm-secret-images": _secret_images,
    "warm-many-images": lambda v: (
        f"Of {v['images']} images the first {v['most']} are loaded ahead of time."
    ),
    "warm-refused": lambda v: f"Placeholders are not made: {v['why']}",
    "warm-buffer-refused": lambda v: f"The autoscaler says of the CapacityBuffer: {v['why']}",
    "warm-buffer-unseen": lambda _: (
        "No autoscaler has looked at the CapacityBuffer yet: what is free now, nobody keeps."
    ),
    "warm-trouble": lambda v: (
        f"An image could not be loaded or has no shell ({v['why']}): its node is kept all the same."
    ),
    "warm-internal-error": lambda v: (
        f"The operator failed here ({v['error']}); nothing is changed: please report it."
    ),
}


def warm_words(plan: WarmPlan) -> str:
    """All sentences, in the order of the argument."""
    return " ".join(SENTENCES[one.code](dict(one.values)) for one in plan.reasons)
