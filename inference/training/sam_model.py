"""A compact SAM for chromosomes: the library's prompt encoder, two-way transformer and mask decoder over a small
convolutional encoder.

SAM's masks are a quarter of its input.  Chromosomes are some twenty pixels wide, so the field would have to be
enlarged fourfold; here the encoder reads the field at its own size and gives an embedding at a quarter of it instead,
which is the same grid at a sixteenth of the work.  The picture is embedded once; each prompt carries only its window
of the embedding.  Two finer feature maps are added while the decoder enlarges its answer, as later SAMs do, for
outlines true to a fraction of a pixel.
"""

from __future__ import annotations

from typing import Any

import torch
from segment_anything.modeling import MaskDecoder, PromptEncoder, TwoWayTransformer
from torch import nn
from torch.nn import functional

from inference.stages.window import LARGE, NEIGHBOURS

DIM = 128
FINE, MIDDLE = 16, 32  # channels of the full- and half-size features
_BESIDE = 48  # channels that tell of a neighbour
_TOKENS = LARGE // 4


class _Block(nn.Module):
    def __init__(self, channels: int) -> None:
        super().__init__()
        self.ways = nn.Sequential(
            nn.Conv2d(channels, channels, 3, 1, 1, bias=False),
            nn.BatchNorm2d(channels),
            nn.ReLU(inplace=True),
            nn.Conv2d(channels, channels, 3, 1, 1, bias=False),
            nn.BatchNorm2d(channels),
        )

    def forward(self, seen: Any) -> Any:
        return torch.relu(seen + self.ways(seen))


def _down(inner: int, outer: int, stride: int = 2) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(inner, outer, 3, stride, 1, bias=False), nn.BatchNorm2d(outer), nn.ReLU(inplace=True)
    )


class FieldEncoder(nn.Module):
    """float (b, 1, h, w), density 0..1, sides multiples of 32 → embedding (b, DIM, h/4, w/4), (b, MIDDLE, h/2, w/2),
    (b, FINE, h, w)."""

    def __init__(self) -> None:
        super().__init__()
        self.one = _down(1, FINE, 1)
        self.two = nn.Sequential(_down(FINE, MIDDLE), _Block(MIDDLE))
        self.four = nn.Sequential(_down(MIDDLE, 64), _Block(64), _Block(64))
        self.eight = nn.Sequential(_down(64, 128), _Block(128), _Block(128))
        self.sixteen = nn.Sequential(_down(128, 160), _Block(160), _Block(160))
        self.thirtytwo = nn.Sequential(_down(160, 160), _Block(160))
        self.from_thirtytwo = nn.Conv2d(160, 160, 1)
        self.from_sixteen = nn.Conv2d(160, DIM, 1)
        self.from_eight = nn.Sequential(_Block(DIM), nn.Conv2d(DIM, DIM, 1))
        self.from_four = nn.Conv2d(64, DIM, 1)
        self.last = nn.Sequential(_Block(DIM), nn.Conv2d(DIM, DIM, 1))

    def forward(self, density: Any) -> tuple[Any, Any, Any]:
        one = self.one(density)
        two = self.two(one)
        four = self.four(two)
        eight = self.eight(four)
        sixteen = self.sixteen(eight)
        sixteen = sixteen + self._up(self.from_thirtytwo(self.thirtytwo(sixteen)))
        eight = eight + self._up(self.from_sixteen(sixteen))
        embedding = self.last(self.from_four(four) + self._up(self.from_eight(eight)))
        return embedding, two, one

    @staticmethod
    def _up(seen: Any) -> Any:
        return functional.interpolate(seen, scale_factor=2.0, mode="nearest")


class FineMaskDecoder(MaskDecoder):
    """The library's decoder; the finer features are added while the mask is enlarged."""

    def __init__(self) -> None:
        super().__init__(
            transformer_dim=DIM,
            transformer=TwoWayTransformer(depth=2, embedding_dim=DIM, num_heads=4, mlp_dim=512),
            num_multimask_outputs=1,
            iou_head_depth=2,
            iou_head_hidden_dim=DIM,
        )
        self.add_middle = nn.Conv2d(MIDDLE, DIM // 4, 1)
        self.add_fine = nn.Conv2d(FINE, DIM // 8, 1)

    def decode(self, embedding: Any, middle: Any, fine: Any, position: Any, sparse: Any, dense: Any) -> tuple[Any, Any]:
        """embedding (n, DIM, h, w), middle (n, MIDDLE, 2h, 2w), fine (n, FINE, 4h, 4w): each prompt's window.
        position (1, DIM, h, w).  Returns mask logits (n, 1, 4h, 4w) and the expected IoU (n, 1)."""
        own = torch.cat([self.iou_token.weight, self.mask_tokens.weight[:1]], 0)
        tokens = torch.cat([own[None].expand(sparse.shape[0], -1, -1), sparse], 1)
        seen = embedding + dense
        count, channels, height, width = seen.shape
        answers, seen = self.transformer(seen, position.expand(count, -1, -1, -1), tokens)
        seen = seen.transpose(1, 2).reshape(count, channels, height, width)
        enlarge, norm, act, enlarge_again, act_again = self.output_upscaling
        seen = act(norm(enlarge(seen) + self.add_middle(middle)))
        seen = act_again(enlarge_again(seen) + self.add_fine(fine))
        weights = self.output_hypernetworks_mlps[0](answers[:, 1])
        masks = torch.einsum("nc,nchw->nhw", weights, seen)[:, None]
        return masks, torch.sigmoid(self.iou_prediction_head(answers[:, 0])[:, :1])


class CompactSam(nn.Module):
    """Prompts are in working pixels of a window of LARGE a side; a smaller window is its middle."""

    def __init__(self) -> None:
        super().__init__()
        self.image_encoder = FieldEncoder()
        self.prompt_encoder = PromptEncoder(
            embed_dim=DIM,
            image_embedding_size=(_TOKENS, _TOKENS),
            input_image_size=(LARGE, LARGE),
            mask_in_chans=16,
        )
        self.mask_decoder = FineMaskDecoder()
        # The library tells the decoder of points and boxes by tokens alone, which takes millions of pictures to
        # learn.  Here every place of the embedding is also told where it lies to the box and the clicks.
        self.place = nn.Sequential(nn.Conv2d(6, 32, 3, 1, 1), nn.ReLU(), nn.Conv2d(32, DIM, 1))
        # And, neighbour by neighbour, where it lies to that one's box.  Says nothing at first.
        self.neighbour = nn.Sequential(nn.Conv2d(8, _BESIDE, 3, 1, 1), nn.ReLU())
        self.beside = nn.Conv2d(_BESIDE, DIM, 1, bias=False)
        nn.init.zeros_(self.beside.weight)

    def prompt(
        self,
        embedding: Any,
        middle: Any,
        fine: Any,
        points: Any,
        labels: Any,
        mask: Any,
        has_mask: Any,
        neighbours: Any,
    ) -> tuple[Any, Any]:
        """points: float (n, k, 2), x and y in the window (its own corner at 0).  labels: float (n, k): 1 this, 0 not
        this, 2 and 3 a box's corners, −1 nothing.  mask: float (n, 1, 4h, 4w) logits of the present mask; has_mask:
        float (n,).  neighbours: float (n, NEIGHBOURS, 5) of `told_of`, in the window.  Returns mask logits
        (n, 1, 4h, 4w) and the expected IoU (n, 1)."""
        height, width = embedding.shape[-2:]
        encoder = self.prompt_encoder
        # Rooted in the large window's frame, whatever this window's size, so that distances mean the same.
        low = (_TOKENS - height) // 2
        position = encoder.get_dense_pe()[:, :, low : low + height, low : low + width]
        framed = (points + 0.5 + 4 * low) / LARGE
        sparse = encoder.pe_layer._pe_encoding(framed)
        label = labels[..., None]
        sparse = sparse * (label != -1)
        sparse = sparse + encoder.not_a_point_embed.weight * (label == -1)
        for value in range(4):
            sparse = sparse + encoder.point_embeddings[value].weight * (label == value)
        given = has_mask[:, None, None, None]
        dense = encoder.mask_downscaling(mask) * given
        dense = dense + encoder.no_mask_embed.weight.reshape(1, -1, 1, 1) * (1 - given)
        maps = places(points, labels, height, width)
        dense = dense + self.place(maps) + self._of_neighbours(maps[:, :4], neighbours)
        return self.mask_decoder.decode(embedding, middle, fine, position, sparse, dense)

    def _of_neighbours(self, own: Any, neighbours: Any) -> Any:
        """(n, DIM, h, w): own, (n, 4, h, w), and each neighbour's place, summed by how sure it is."""
        height, width = own.shape[-2:]
        left, top, right, bottom, sure = (part.reshape(-1, 1, 1, 1) for part in neighbours.unbind(2))
        theirs = sides(left, top, right, bottom, height, width)
        mine = own[:, None].expand(-1, NEIGHBOURS, -1, -1, -1).reshape(-1, 4, height, width)
        seen = self.neighbour(torch.cat([mine, theirs], 1)) * sure
        return self.beside(seen.reshape(-1, NEIGHBOURS, _BESIDE, height, width).sum(1))


def _grid(height: int, width: int, device: Any) -> tuple[Any, Any]:
    """Window pixels of the places' middles, (1, 1, 1, width) and (1, 1, height, 1)."""
    across = (torch.arange(width, device=device) * 4 + 1.5).reshape(1, 1, 1, width)
    return across, (torch.arange(height, device=device) * 4 + 1.5).reshape(1, 1, height, 1)


def sides(left: Any, top: Any, right: Any, bottom: Any, height: int, width: int) -> Any:
    """float (n, 4, height, width): how each place lies to the sides of a box, given as (n, 1, 1, 1) each."""
    across, down = _grid(height, width, left.device)
    blank = torch.zeros_like(across + down)
    found = (across - left, right - across, down - top, bottom - down)
    return torch.cat([torch.tanh((side + blank) / 8) for side in found], 1)


def places(points: Any, labels: Any, height: int, width: int) -> Any:
    """float (n, 6, height, width): how each place of the embedding lies to the four sides of the box (0 without one),
    and how near to a "this" and to a "not this" click."""
    across, down = _grid(height, width, points.device)

    def corner(value: int) -> tuple[Any, Any, Any]:
        at = (labels == value).to(points.dtype)
        found = (points * at[..., None]).sum(1)
        return found[:, 0].reshape(-1, 1, 1, 1), found[:, 1].reshape(-1, 1, 1, 1), at.sum(1).reshape(-1, 1, 1, 1)

    left, top, boxed = corner(2)
    right, bottom, _ = corner(3)
    maps = [sides(left, top, right, bottom, height, width) * boxed]
    x, y = points[..., 0][:, :, None, None], points[..., 1][:, :, None, None]
    near = torch.exp(-((across - x) ** 2 + (down - y) ** 2) / 50)
    for value in (1, 0):
        maps.append((near * (labels == value).to(points.dtype)[:, :, None, None]).amax(1, keepdim=True))
    return torch.cat(maps, 1)


class _Windows(torch.autograd.Function):
    """Slices whose gradients are gathered in one field: slicing by itself fills a whole field for every slice."""

    @staticmethod
    def forward(context: Any, features: Any, owners: list[int], corners: list[tuple[int, int]], side: int) -> Any:
        context.owners, context.corners, context.side, context.shape = owners, corners, side, features.shape
        padded = functional.pad(features, (side, side, side, side))
        return torch.stack(
            [
                padded[owner, :, top + side : top + 2 * side, left + side : left + 2 * side]
                for owner, (left, top) in zip(owners, corners, strict=True)
            ]
        )

    @staticmethod
    def backward(context: Any, gradients: Any) -> Any:
        rows, channels, height, width = context.shape
        side = context.side
        field = gradients.new_zeros(rows, channels, height + 2 * side, width + 2 * side)
        for row, (owner, (left, top)) in enumerate(zip(context.owners, context.corners, strict=True)):
            field[owner, :, top + side : top + 2 * side, left + side : left + 2 * side] += gradients[row]
        return field[:, :, side:-side, side:-side], None, None, None


def windows(features: Any, owners: list[int], corners: list[tuple[int, int]], side: int) -> Any:
    """(n, c, side, side): for each prompt its window of features (b, c, h, w); what lies outside is 0.
    owners: the row of each; corners: (left, top) in the features' own pixels, maybe negative."""
    return _Windows.apply(features, owners, corners, side)
