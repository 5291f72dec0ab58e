"""The checks of the training loop: legal loops pass, wrong ones are told what they did."""
