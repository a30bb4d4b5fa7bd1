"""
Train and score
===============

Train a detector on the training lanes of a SYNTHETIC field, save it, run it on the blind
lanes and score it against the truth.
"""

import tempfile
from pathlib import Path

import minesense as ms

field = ms.synthetic.field(
    ms.synthetic.scenario("farmland", lanes={"training": 5, "blind": 2, "length": 12.0}),
    seed=1,
)
cart = ms.synthetic.cart()

# %%
# Classifiers are judged lane by lane while they are trained: neighbouring candidates see the
# same ground, and must not be in training and test at once.
detector = ms.train(
    field.sweep(cart, lanes=field.training),
    field.truth_of(field.training),
    area=field.area_of(field.training),
)
for mode, figures in detector.card["out_of_fold"].items():
    print(f"{mode}: Brier score {figures['brier']:.3f} over {figures['n_mines']} mines")

# %%
# A model is a file of plain values; loading one that holds anything else fails.
path = Path(tempfile.mkdtemp()) / "model.skops"
detector.save(path)
detector = ms.Detector.load(path)

# %%
# The threshold was set on the training lanes. The blind lanes are scored with it, once.
alarms = detector.detect(field.sweep(cart, lanes=field.blind), area=field.area_of(field.blind))
print(ms.score.score(alarms, field.truth_of(field.blind), alarms.coverage))
