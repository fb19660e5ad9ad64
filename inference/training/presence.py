"""The detector's loss, taken apart into what it is used for: is a chromosome here, and which one is it.

The stock loss asks each of the 24 classes on its own.  While the classes are still confused, no class is sure, the
assigner finds no box that is clearly best for a chromosome, and the one-to-one head learns to give two or none.
Program and laboratory ask first whether *some* chromosome is there, 1 − ∏(1 − class score) (`one_box_each`).  So that
is what is trained here, as the one class of ultralytics' own assigner and losses; the 24 classes learn beside it, by
cross-entropy, where a chromosome is.  The model and its file stay an ordinary YOLOv10 with 24 classes.
"""

from __future__ import annotations

from typing import Any

_CLASS_GAIN = 0.5


def presence_logits(scores: Any) -> Any:
    """float (b, 1, anchors): the logit of 1 − ∏(1 − σ(s)) over class logits s, float (b, 24, anchors)."""
    import torch

    missing = torch.nn.functional.softplus(scores).sum(dim=1, keepdim=True).clamp(min=1e-7)  # −log ∏(1 − σ(s))
    return torch.where(missing > 15, missing, torch.log(torch.expm1(missing.clamp(max=20))))


class PresenceLoss:
    """Called like ultralytics' criterion: (predictions, batch) → (loss of four parts times batch size, items)."""

    def __init__(self, model: Any) -> None:
        from ultralytics.utils.loss import E2ELoss

        stock = E2ELoss(model)
        self._branches = {"one2many": stock.one2many, "one2one": stock.one2one}
        for branch in self._branches.values():
            branch.nc = branch.assigner.num_classes = 1

    def __call__(self, predictions: Any, batch: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
        import torch

        predictions = self._branches["one2many"].parse_output(predictions)
        present = {**batch, "cls": torch.zeros_like(batch["cls"])}
        total: Any = 0.0
        items: dict[str, Any] = {}
        for name, branch in self._branches.items():
            found = predictions[name]
            presence = {**found, "scores": presence_logits(found["scores"])}
            (foreground, owners, *_), loss, _ = branch.get_assigned_targets_and_loss(presence, present)
            naming = self._naming(branch, found["scores"], batch, foreground, owners)
            parts = torch.cat([loss, naming[None]])
            total = total + parts * found["scores"].shape[0]
            items[name] = parts.detach()
        return total, items

    @staticmethod
    def _naming(branch: Any, scores: Any, batch: dict[str, Any], foreground: Any, owners: Any) -> Any:
        """Cross-entropy of the class of the chromosome that each foreground anchor was given."""
        import torch

        targets = torch.cat((batch["batch_idx"].view(-1, 1), batch["cls"].view(-1, 1), batch["bboxes"]), 1)
        classes = branch.preprocess(targets, scores.shape[0], torch.ones(4, device=scores.device))[..., 0].long()
        if not bool(foreground.any()):
            return scores.sum() * 0
        wanted = classes.gather(1, owners)[foreground]
        return _CLASS_GAIN * torch.nn.functional.cross_entropy(scores.permute(0, 2, 1)[foreground], wanted)
