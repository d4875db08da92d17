"""Training, from data to a measured network: a page each, to be read in this order.

data (FER2013 in four shapes, FER+'s votes) → recipes (every hyperparameter) → augment (random changes, batches) →
network (built, started, asked) → optim (AdamW, Muon, averaged weights) → train (targets and the loop) → checkpoint (a
run on disk) → metrics (functions of arrays) → evaluate (a model on a split) → plots.
"""
