"""What the model card says around its figures, in Markdown to be filled in."""

TEXT = """\
# femr: two networks that read facial expressions

They tell which of seven expressions a face shows: {expressions}. They are made for femr, which plays the song of a
group's mood. They tell the *expression* that is seen, not what a person feels.

Each network has one backbone and two heads, and so two answers:

- **People** is what femr shows, votes and sings by: what ten people would say of the face. It learned from FER+, ten
  people's votes on each face of FER2013.
- **Labels** is which label FER2013 gives the face. That is what others report, so its accuracy is the one to compare.
  The labels come from the words of web searches: of the faces in Training that they call sad, most of ten people call
  47 % neutral.

{summary}

The people head's answers are calibrated, then balanced: balance × the logarithm of each expression's share of the votes
is taken off, so that rare expressions are named more readily. Its vote shares are calibrated only: where they say 80 %,
about eight of ten people should agree.

Accuracies have 95 % bootstrap intervals, and are of the average of the face and its mirror image unless said otherwise.
`python -m femr evaluate MODEL --data PATH` prints the figures again.

## People

### PrivateTest, the test set

{people_private}

"Agree" counts all ten votes, those for none of the seven expressions too. FER+'s own rule drops single votes, then asks
for more than half of the rest. The calibration error compares the top vote share with the share of voters who agree
with it. A face is read surely if the probability of what is named reaches "unsure below": under it, fewer than half of
those who vote would agree.

### PublicTest, on which temperatures, thresholds and balances were chosen

{people_public}
{finished}
### Recall on PrivateTest's majorities

{people_recalls}
{photos}{balanced}
## Labels

### PrivateTest, the test set

{private}

"Without training duplicates" leaves out the faces whose pixels also occur in the training data; "FER+ labels" asks the
label head for the majority of ten people. The reference work does not say on which faces it measured.

### PublicTest

{public}
{finished}
### Recall on PrivateTest

{recalls}
{pictures}
## How they were trained

{training}
{reference}
## What they are not for

Not for grading, hiring, discipline, monitoring, health or safety decisions about people. In the European Union,
inferring emotions of pupils, students or staff from faces is prohibited, with medical and safety exceptions (AI Act,
Regulation (EU) 2024/1689, Art. 5(1)(f)). Tell everyone in the picture, and ask first; parents for children.

## Limits

{limits}

FER2013's pictures come from web searches, and nobody has counted whom they show: expect more mistakes on groups that
are rare there, on children, faces turned away, glasses, dim light and faces under 40 pixels.

## Files

`<name>.json` holds a model's facts and the SHA-256 of its files. Networks are Keras 3: `<name>.keras`, or
half-precision `<name>.weights.json` with its shards for the architecture in `femr/expression/networks.py`; two outputs,
`scores` (labels) and `people`. With a copy of this repository's files in the folder FEMR_MODELS_DIR,
`femr.load("<name>")` reads them.

Licence: MIT, code and weights. Trained on FER2013 (Goodfellow et al., "Challenges in Representation Learning", 2013)
and FER+ (Barsoum et al., 2016, MIT), which are not part of this repository. MobileNetV2 started from ImageNet weights
(torchvision, BSD-3-Clause).
"""

PHOTOS = """
### Photos

End to end: the face is found, cropped and read as femr does. A face that is missed counts as wrong; of several the
largest counts. Each label is one person's, so read differences, not levels. The natural mix weighs the recalls by how
often 13,681 such photos were labelled so (angry 252, disgust 208, fear 21, happy 5,696, sad 268, surprise 368, neutral
6,868). The photos are for measuring and choosing, not for training, and not part of this repository.

{table}
{recalls}"""

PHOTO_RECALLS = """
Recall, {title}, with the number of photos:

{table}
"""

BALANCED = """
### What each balance gives: accuracy / mean recall / natural mix, in per cent

On {names}. Chosen, in bold, is the balance with the highest mean of all three over both.
`femr.load(balance=0)` and `--balance 0` switch it off; any value to 1 may be given.

{table}
"""

PICTURES = """
## Pictures, on PrivateTest

{table}
"""
REFERENCE = """
### The reference work's recipe, run again

One run each of the recipe that femr set out to better: a fifth of Training held out, Adam at 0.001, batches of 128, no
augmentation, the epoch of the least validation loss. PrivateTest, unless said otherwise. The weights were not kept;
`python -m femr train NETWORK --data PATH --recipe reference` makes them anew.

{table}
{notes}"""

UNRECORDED = """\
No record is kept of the weights before, {titles}. What they had learned from is told below, as far as it is known;
where PublicTest is among it, these figures are flattered.
"""

ACCURACIES = {
    "accuracy": "accuracy, one view",
    "accuracy_mirrored": "accuracy, mirrored",
    "accuracy_deduplicated": "accuracy, one view, without training duplicates",
    "accuracy_mirrored_deduplicated": "accuracy, mirrored, without training duplicates",
    "ferplus_accuracy": "accuracy, FER+ labels",
}
MEASURES = {
    "macro_f1": "macro F1",
    "ece_after": "calibration error",
    "nll": "negative log-likelihood",
    "brier": "Brier score",
}
PEOPLE = {
    "accuracy": "right, of faces on which over half of ten people agree",
    "accuracy_unbalanced": "the same with balance 0",
    "accuracy_ferplus": "right, by FER+'s own rule",
    "mean_recall": "mean recall of the seven expressions",
    "natural_mix": "right in the natural mix, see photos",
    "agreement": "people who agree with the answer",
    "agreement_best": "who could agree with the best possible answer",
    "sure": "read surely",
    "accuracy_sure": "right, of those on which over half agree",
}
VOTES = {
    "cross_entropy": "cross-entropy with the vote shares",
    "cross_entropy_least": "the least possible",
    "ece_before": "calibration error before scaling",
    "ece_after": "calibration error",
    "ece_named": "calibration error of what is named",
}
PHOTO_MEASURES = {
    "found": "face found",
    "accuracy": "right",
    "mean_recall": "mean recall",
    "natural_mix": "right in the natural mix",
    "sure": "read surely",
    "accuracy_sure": "right, of those",
}
PICTURE_TITLES = {
    "people_confusion_matrix": "people: what is taken for what",
    "confusion_matrix": "labels: what is taken for what",
    "reliability": "how many people are said to agree, and how many do",
    "risk_coverage": "leaving out unsure faces",
    "balances": "what each balance gives",
    "curves": "training",
}
