"""From a finished run to what others get: weights in models/, the model card, a Hub repository, a Space."""
