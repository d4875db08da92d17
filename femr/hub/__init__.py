"""The Hub: weights down, weights and app up, and the model card that goes with them."""
