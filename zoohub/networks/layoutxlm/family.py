"""LayoutXLM: names and arguments."""

from __future__ import annotations

from zoohub.networks.family import Family
from zoohub.networks.vi_layoutxlm.family import ARGUMENTS, head_of, layouts

_SEEN = r"visual\.backbone\.bottom_up\."
_OWN = "backbone.visual.backbone.bottom_up."
_PICTURE = (
    (_SEEN + r"stem\.(.+)", _OWN + r"\1"),
    *(
        rule
        for stage in range(1, 5)
        for rule in (
            (
                _SEEN + rf"res{stage + 1}\.(\d+)\.shortcut\.(.+)",
                _OWN + rf"layer{stage}.\1.down_sample.0.\2",
            ),
            (
                _SEEN + rf"res{stage + 1}\.(\d+)\.shortcut_norm\.(.+)",
                _OWN + rf"layer{stage}.\1.down_sample.1.\2",
            ),
            (_SEEN + rf"res{stage + 1}\.(.+)", _OWN + rf"layer{stage}.\1"),
        )
    ),
)

FAMILY = Family(
    name="layoutxlm",
    task="key-information-extraction",
    builder="layoutxlm",
    arguments=ARGUMENTS,
    layouts=layouts(_PICTURE),
    head=head_of,
    constants=(r".*\.pixel_(mean|std)",),
    inputs=("input_ids", "bbox", "attention_mask", "token_type_ids", "image"),
    sequences=False,
    raw=("logits",),
)
