"""Train the satisfaction model on the readings of the model in use, and write it beside that model.

    python -m heardback_scoring.training.satisfaction --data DIR [--model manifest.toml]

Cross-validation on the train splits chooses everything; the dev splits are only reported. Readings are kept
under runs/ by the model's hash. To be run again whenever the model was replaced: the service does not use a
satisfaction model of another one.
"""

import argparse
import hashlib
import re
from collections.abc import Sequence
from itertools import product
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.progress import Progress

from heardback_scoring.domain.satisfaction import SatisfactionModel
from heardback_scoring.models.satisfaction_file import NAME, to_bytes
from heardback_scoring.models.store import PACKAGED_MANIFEST, ModelChoice, load_scorer, read_manifest
from heardback_scoring.training.dialogues import HELPDESK, MEASURED_ONLY, TASKS, DialogueReader, Rated
from heardback_scoring.training.satisfaction_fit import Recipe, blocks_of, choose, fit, pearson, spearman

RECIPES = [
    Recipe(grams=grams, penalty=penalty, second_share=share)
    for grams, penalty, share in product((1.0, 2.0, 4.0), (0.8, 1.6, 3.2), (0.1, 0.3))
]
LOWEST_SHARE = 0.2
COMPLAINTS = (
    "This is useless, nothing works and nobody helps me.",
    "No, that did not solve anything. I am really disappointed.",
    "Terrible service, I am going to another company.",
)
THANKS = (
    "Thank you so much, it works now!",
    "Great, that solved it. Thanks for your help.",
    "Perfect, I am really happy with this service.",
)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--model", type=Path, default=PACKAGED_MANIFEST, help="a manifest.toml")
    parser.add_argument("--runs", type=Path, default=Path("runs"))
    chosen = parser.parse_args()
    console = Console()
    scorer = load_scorer(ModelChoice(manifest=chosen.model))
    with Progress(console=Console(stderr=True)) as progress:
        reader = DialogueReader(scorer, chosen.runs / "readings", progress)
        train = [reader.rated(chosen.data, source, "train") for source in (HELPDESK, TASKS)]
        if any(rated is None for rated in train):
            raise SystemExit(f"{HELPDESK.name} and {TASKS.name} must lie under {chosen.data}; see --data.")
        model = _trained([rated for rated in train if rated is not None], scorer.model.sha256, console)
        for source in (HELPDESK, TASKS, *MEASURED_ONLY):
            rated = reader.rated(chosen.data, source, "dev")
            console.print(_figures(source.name, model, rated) if rated else f"{source.name}: not there")
        ordered, pairs = _praise_over_complaint(model, reader)
    console.print(f"praise at the end never below complaint: {ordered} of {pairs} pairs")
    console.print(f"written: {write_beside(chosen.model, model)} bytes")
    scorer.close()


def _trained(train: Sequence[Rated], encoder: str, console: Console) -> SatisfactionModel:
    cues = sorted({name for rated in train for d in rated.dialogues for t in d.turns for name in t.cues})
    blocks = blocks_of([(rated.dialogues, rated.ratings) for rated in train], cues)
    best = choose(blocks, RECIPES)
    model, tried = fit(blocks, best.recipe, encoder)
    console.print(
        f"chosen {best.recipe}; cross-validated: {HELPDESK.name} Pearson {tried.pearson:.3f}, "
        f"{TASKS.name} Spearman {tried.second_spearman:.3f}; half width {model.half_width:.3f}"
    )
    return model


def _figures(name: str, model: SatisfactionModel, rated: Rated) -> str:
    found = np.array([model.predict(dialogue) for dialogue in rated.dialogues])
    inside = float((np.abs(found - rated.ratings) <= model.half_width).mean())
    measures = {"Pearson": pearson, "Spearman": spearman, "recall of the lowest fifth": _low_recall}
    told = ", ".join(
        f"{title} {measure(found, rated.ratings):.3f} (formula {measure(rated.formula, rated.ratings):.3f})"
        for title, measure in measures.items()
    )
    means = f"mean {found.mean():+.2f} of {rated.ratings.mean():+.2f}"
    return f"{name} dev, {len(found)} dialogues: {told}, {means}, inside the interval {inside:.2f}"


def _low_recall(found: NDArray[np.float64], ratings: NDArray[np.float64]) -> float:
    """Of the lowest rated (a fifth, more with ties) the share among as many that were put lowest."""
    low = ratings <= np.quantile(ratings, LOWEST_SHARE)
    return float((found <= np.quantile(found, low.mean()))[low].mean())


def _praise_over_complaint(model: SatisfactionModel, reader: DialogueReader) -> tuple[int, int]:
    """Over conversations whose last customer turn is a complaint in one version, thanks in the other."""
    talks = [(*opening, ("customer", end)) for opening in OPENINGS for end in (*COMPLAINTS, *THANKS)]
    values = [model.predict(dialogue) for dialogue in reader.read(talks, "praise and complaint")]
    rows = np.array(values).reshape(len(OPENINGS), -1)
    bad, good = rows[:, : len(COMPLAINTS)], rows[:, len(COMPLAINTS) :]
    right = good[:, None, :] >= bad[:, :, None]
    return int(right.sum()), right.size


OPENINGS: tuple[tuple[tuple[str, str], ...], ...] = (
    (),
    (("customer", "My router drops the line every evening."), ("agent", "Please restart it.")),
    (("customer", "The parcel is a week late and I am furious."), ("agent", "It arrives tomorrow.")),
    (("customer", "Hello, could you change my address?"), ("agent", "Of course, done.")),
    (("customer", "You charged me twice!"), ("agent", "Sorry. We paid it back."), ("customer", "When?")),
    (("customer", "I love the app, one question about exports."), ("agent", "Go to settings.")),
    (("customer", "Nobody answers my mails."),),
)


def write_beside(manifest: Path, model: SatisfactionModel) -> int:
    """Writes the file and its hash into the manifest; returns how many bytes it has."""
    content = to_bytes(model)
    (manifest.parent / read_manifest(manifest).folder / NAME).write_bytes(content)
    line = f'"{NAME}" = "{hashlib.sha256(content).hexdigest()}"'
    text = re.sub(rf'\n"{re.escape(NAME)}" = .*', "", manifest.read_text(encoding="utf8"))
    manifest.write_text(text.replace('\n"tokenizer.json"', f'\n{line}\n"tokenizer.json"', 1), encoding="utf8")
    return len(content)


if __name__ == "__main__":
    main()
