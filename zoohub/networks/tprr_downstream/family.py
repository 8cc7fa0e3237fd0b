"""TPRR's heads: names and arguments."""

from __future__ import annotations

from zoohub.networks.family import Family

FAMILY = Family(
    name="tprr_downstream",
    task="natural-language-understanding",
    builder="tprr_downstream",
    arguments={"part": str, "hidden_size": int},
    inputs=("para_state", "sent_state", "state", "context_mask"),
    sequences=False,
    raw=("answer_type", "starts", "ends", "paragraphs", "sentences"),
)
